import { expect } from 'vitest';
import { sha256, type ImageContent } from '../programs/image-content.ts';
import type { Registry } from '../programs/registry.ts';

/**
 * Reads all of `content` under `repositoryUrl` (`http://host/v2/name`) and compares it byte by byte: manifests by tag
 * and digest, with their media type, and all blobs.
 */
export async function expectServed(repositoryUrl: string, tag: string, content: ImageContent): Promise<void> {
  const { manifest, children } = content;
  const references = [{ reference: tag, manifest }, ...[manifest, ...children].map(byDigest)];
  for (const { reference, manifest } of references) {
    const response = await fetch(`${repositoryUrl}/manifests/${reference}`, {
      headers: { accept: manifest.mediaType },
    });
    expect(response.status, `manifest ${reference}`).toBe(200);
    expect(response.headers.get('content-type')).toBe(manifest.mediaType);
    expect(response.headers.get('docker-content-digest')).toBe(manifest.digest);
    expect(Buffer.from(await response.arrayBuffer()).equals(manifest.bytes), `bytes of ${reference}`).toBe(
      true,
    );
  }
  for (const [digest, bytes] of content.blobs) {
    const response = await fetch(`${repositoryUrl}/blobs/${digest}`);
    expect(response.status, `blob ${digest}`).toBe(200);
    const body = Buffer.from(await response.arrayBuffer());
    expect({ digest: sha256(body), size: body.length }).toEqual({ digest, size: bytes.length });
  }
}

/** Every layer's bytes left the upstream once and no more. */
export function expectFetchedOnce(upstream: Registry, content: ImageContent): void {
  const fetches = upstream.blobFetches;
  expect(Object.fromEntries(content.layers.map((digest) => [digest, fetches.get(digest) ?? 0]))).toEqual(
    Object.fromEntries(content.layers.map((digest) => [digest, 1])),
  );
}

function byDigest(manifest: ImageContent['manifest']): {
  reference: string;
  manifest: ImageContent['manifest'];
} {
  return { reference: manifest.digest, manifest };
}
