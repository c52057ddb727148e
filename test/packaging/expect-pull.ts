import { expect } from 'vitest';
import { sha256, type ImageContent } from '../programs/image-content.ts';

/** Pulls all of an image, `repository:tag` of the default upstream, and compares every byte by its digest. */
export async function expectPull(edgeUrl: string, name: string, content: ImageContent): Promise<void> {
  const [repository, tag] = name.split(':');
  const base = `${edgeUrl}/v2/${repository}`;
  expect(sha256(await body(`${base}/manifests/${tag}`))).toBe(content.manifest.digest);
  for (const digest of content.blobs.keys()) {
    expect(sha256(await body(`${base}/blobs/${digest}`))).toBe(digest);
  }
}

async function body(url: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { accept: '*/*' } });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect([url, response.status]).toEqual([url, 200]);
  return bytes;
}
