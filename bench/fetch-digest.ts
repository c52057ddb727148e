import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';

/** SHA-256 of what a URL answers with, as a digest. Fails on any other status than 200. */
export async function fetchDigest(url: string, headers: Record<string, string> = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { headers, agent: false }, resolve).once('error', reject);
  const response = await promise;
  assert.equal(response.statusCode, 200, url);
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

export async function expectBody(
  url: string,
  digest: string,
  headers?: Record<string, string>,
): Promise<void> {
  assert.equal(await fetchDigest(url, headers), digest, `other bytes from ${url}`);
}
