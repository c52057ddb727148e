import { authorityStep, loopbackStep, type ClientConfigMaker } from './client-config.ts';

const dockerHub = 'docker.io';

/**
 * Docker Engine uses `registry-mirrors` for Docker Hub alone (moby, daemon/pkg/registry/service_v2.go), so images of
 * other registries are pulled by a name that begins with the edge.
 */
export const dockerConfig: ClientConfigMaker = (edge, upstreams) => {
  const mirrors = upstreams.includes(dockerHub) ? { 'registry-mirrors': [edge.url] } : {};
  // The engine itself counts 127.0.0.0/8 among the insecure registries.
  const insecure = edge.plainHttp && !edge.loopback ? { 'insecure-registries': [edge.host] } : {};
  const others = upstreams.filter((name) => name !== dockerHub);
  const settings = { ...mirrors, ...insecure };
  const files =
    Object.keys(settings).length === 0
      ? []
      : [{ path: '/etc/docker/daemon.json', content: JSON.stringify(settings, undefined, 2) }];
  return {
    files,
    steps: [
      ...(files.length === 0
        ? []
        : [
            'Merge this with what the file has (on Docker Desktop: Settings, Docker Engine), then: sudo systemctl reload docker',
            'Check with: docker info',
          ]),
      ...(upstreams.includes(dockerHub) ? ['docker.io must be the first upstream of the edge.'] : []),
      ...others.map((name) => `Images of ${name}: docker pull ${edge.host}/${name}/NAME:TAG`),
      ...authorityStep(edge, `put it into /etc/docker/certs.d/${edge.host}/ca.crt`),
      ...loopbackStep(edge),
    ],
  };
};
