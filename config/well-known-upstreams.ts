/** What an edge mirrors when nobody tells it otherwise. The first is the default upstream. */
export const wellKnownUpstreams: readonly string[] = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'registry.k8s.io',
  'gcr.io',
  'mcr.microsoft.com',
  'public.ecr.aws',
];

const dockerHub = 'docker.io';

/** Image names say `docker.io`, the registry answers at `registry-1.docker.io`, older clients name `index.docker.io`. */
export function impliedHosts(name: string): readonly string[] {
  return name === dockerHub ? ['index.docker.io', 'registry-1.docker.io'] : [];
}

export function impliedUrl(name: string): string {
  return name === dockerHub ? 'https://registry-1.docker.io' : `https://${name}`;
}
