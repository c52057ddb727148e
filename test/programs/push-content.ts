import type { ImageContent, StoredManifest } from './image-content.ts';

/** Pushes all of `content` to a registry that asks for no credentials, what is referred to before what refers. */
export async function pushContent(registryUrl: string, name: string, content: ImageContent): Promise<void> {
  const [repository, tag] = splitName(name);
  const base = `${registryUrl}/v2/${repository}`;
  for (const [digest, bytes] of content.blobs) await pushBlob(base, digest, bytes);
  for (const child of content.children) await pushManifest(base, child.digest, child);
  await pushManifest(base, tag, content.manifest);
}

function splitName(name: string): [repository: string, tag: string] {
  const colon = name.lastIndexOf(':');
  if (colon === -1) throw new Error(`${name} names no tag`);
  return [name.slice(0, colon), name.slice(colon + 1)];
}

/** One POST, then one PUT with all the bytes (distribution-spec: monolithic upload). */
async function pushBlob(base: string, digest: string, bytes: Buffer): Promise<void> {
  const known = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
  if (known.ok) return;
  const opened = await expectStatus(202, `${base}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(opened.headers.get('location') ?? '', base);
  location.searchParams.set('digest', digest);
  await expectStatus(201, location.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
}

async function pushManifest(base: string, reference: string, manifest: StoredManifest): Promise<void> {
  await expectStatus(201, `${base}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: new Uint8Array(manifest.bytes),
  });
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (response.status === status) return response;
  throw new Error(`${init.method} ${url}: ${response.status} in place of ${status}: ${body.slice(0, 1_000)}`);
}
