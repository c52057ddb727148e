import { authorityStep, loopbackStep, type ClientConfigMaker } from './client-config.ts';

/**
 * buildkitd.toml (BuildKit, docs/buildkitd.toml.md). BuildKit adds `?ns=<registry>` as containerd does, so the mirror is
 * the edge's host alone. Mirrors are spoken to by https unless their own block says `http`.
 */
export const buildkitConfig: ClientConfigMaker = (edge, upstreams) => {
  const blocks = upstreams.map((name) => `[registry."${name}"]\n  mirrors = ["${edge.host}"]`);
  const scheme = edge.plainHttp ? [`[registry."${edge.host}"]\n  http = true`] : [];
  return {
    files: [{ path: '/etc/buildkit/buildkitd.toml', content: [...blocks, ...scheme].join('\n\n') }],
    steps: [
      'Then: sudo systemctl restart buildkit (rootless: ~/.config/buildkit/buildkitd.toml)',
      'For a builder of buildx: docker buildx create --use --driver docker-container --buildkitd-config FILE',
      "Docker's own builder (driver docker) follows /etc/docker/daemon.json instead: wherry client-config docker",
      ...authorityStep(edge, `add [registry."${edge.host}"] with ca = ["/path/to/ca.crt"]`),
      ...(edge.loopback
        ? ['A builder in a container reaches a loopback address only with --driver-opt network=host.']
        : []),
      ...loopbackStep(edge),
    ],
  };
};
