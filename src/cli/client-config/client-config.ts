import type { EdgeAddress } from '../edge-address.ts';

/** What a client needs to be told so that it pulls through an edge. */
export interface ClientConfig {
  readonly files: readonly ClientFile[];
  /** What to run, and what to know, a sentence or command each. */
  readonly steps: readonly string[];
}

export interface ClientFile {
  readonly path: string;
  readonly content: string;
}

/** `upstreams` are registry hosts as image names carry them. */
export type ClientConfigMaker = (edge: EdgeAddress, upstreams: readonly string[]) => ClientConfig;

/** As text to read and paste from: a comment line with the path before each file, the steps as comments at the end. */
export function formatClientConfig({ files, steps }: ClientConfig): string {
  const parts = files.map(({ path, content }) => `# ${path}\n${content.trimEnd()}\n`);
  return [...parts, steps.map((step) => `# ${step}\n`).join('')].join('\n');
}

/** A step that all clients share: nobody else reaches an edge on the loopback address. */
export function loopbackStep(edge: EdgeAddress): readonly string[] {
  return edge.loopback
    ? [
        `${edge.url} is reached from this machine only: for others, let the edge listen on an address that they reach.`,
      ]
    : [];
}

/** A step for edges with TLS: where this client looks for an authority that the system does not know. */
export function authorityStep(edge: EdgeAddress, where: string): readonly string[] {
  return edge.plainHttp ? [] : [`If the edge's certificate is from an authority of your own: ${where}`];
}
