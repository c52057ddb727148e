import { buildkitConfig } from './buildkit-config.ts';
import type { ClientConfigMaker } from './client-config.ts';
import { containerdConfig } from './containerd-config.ts';
import { crioConfig, podmanConfig } from './containers-config.ts';
import { dockerConfig } from './docker-config.ts';

/** The clients that can be told about an edge, by the name on the command line. */
export const clients = {
  docker: dockerConfig,
  containerd: containerdConfig,
  podman: podmanConfig,
  crio: crioConfig,
  buildkit: buildkitConfig,
} as const satisfies Readonly<Record<string, ClientConfigMaker>>;

export type ClientName = keyof typeof clients;

export const clientNames = Object.keys(clients) as readonly ClientName[];
