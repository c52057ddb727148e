import type { EdgeAddress } from '../edge-address.ts';
import { authorityStep, loopbackStep, type ClientConfigMaker, type ClientFile } from './client-config.ts';

/**
 * registries.conf, version 2 (containers-registries.conf(5)), which Podman, Buildah, Skopeo and CRI-O share. These
 * clients send no `ns`: a mirror's location takes the place of the prefix, so it carries the registry's name as a path.
 */
function registriesFile(edge: EdgeAddress, upstreams: readonly string[]): ClientFile {
  const blocks = upstreams.map((name) =>
    [
      '[[registry]]',
      `prefix = "${name}"`,
      `location = "${name}"`,
      '',
      '[[registry.mirror]]',
      `location = "${edge.host}/${name}"`,
      ...(edge.plainHttp ? ['insecure = true'] : []),
    ].join('\n'),
  );
  return { path: '/etc/containers/registries.conf.d/50-wherry.conf', content: blocks.join('\n\n') };
}

function authority(edge: EdgeAddress): readonly string[] {
  return authorityStep(edge, `put it into /etc/containers/certs.d/${edge.host}/ca.crt`);
}

export const podmanConfig: ClientConfigMaker = (edge, upstreams) => ({
  files: [registriesFile(edge, upstreams)],
  steps: [
    'Podman, Buildah and Skopeo read it at each start: nothing to reload. On macOS and Windows it goes into the Podman machine.',
    'For one user instead: ~/.config/containers/registries.conf.d/50-wherry.conf',
    ...authority(edge),
    ...loopbackStep(edge),
  ],
});

export const crioConfig: ClientConfigMaker = (edge, upstreams) => ({
  files: [registriesFile(edge, upstreams)],
  steps: ['Then: sudo systemctl reload crio', ...authority(edge), ...loopbackStep(edge)],
});
