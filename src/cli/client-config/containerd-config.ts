import { authorityStep, loopbackStep, type ClientConfigMaker, type ClientFile } from './client-config.ts';
import type { EdgeAddress } from '../edge-address.ts';
import { impliedUrl } from '../../../config/well-known-upstreams.ts';

const folder = '/etc/containerd/certs.d';

/**
 * One hosts.toml for each registry (containerd, docs/hosts.md). containerd adds `?ns=<registry>` by itself, so every
 * file names the same edge. Without `resolve` it would ask the edge for digests only, and the registry for each tag.
 */
export const containerdConfig: ClientConfigMaker = (edge, upstreams) => ({
  files: upstreams.map((name) => hostsFile(edge, name)),
  steps: [
    'containerd reads these files at each pull: no restart. nerdctl does too; ctr needs --hosts-dir ' +
      folder,
    'For Kubernetes, /etc/containerd/config.toml must name the folder, once, followed by: sudo systemctl restart containerd',
    `  containerd 2: [plugins."io.containerd.cri.v1.images".registry] config_path = "${folder}"`,
    `  containerd 1: [plugins."io.containerd.grpc.v1.cri".registry] config_path = "${folder}"`,
    ...authorityStep(edge, `add ca = "/path/to/ca.crt" below each [host."${edge.url}"]`),
    ...loopbackStep(edge),
  ],
});

function hostsFile(edge: EdgeAddress, name: string): ClientFile {
  const lines = [
    `server = "${impliedUrl(name)}"`,
    '',
    `[host."${edge.url}"]`,
    '  capabilities = ["pull", "resolve"]',
    // Else an edge that is away costs 30 s for each request. Releases that do not know the key skip it.
    '  dial_timeout = "2s"',
  ];
  return { path: `${folder}/${name}/hosts.toml`, content: lines.join('\n') };
}
