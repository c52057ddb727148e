import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDescriptor } from './descriptor.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const least = { mediaType: 'application/x', digest, size: 3 };

describe('parseDescriptor', () => {
  it.each([
    ['the required fields', least, least],
    ['no bytes', { ...least, size: 0 }, { ...least, size: 0 }],
    [
      'unknown and null fields',
      { ...least, data: 'e30=', urls: null, annotations: null, platform: null },
      least,
    ],
    [
      'fields of a wrong type',
      { ...least, urls: 'x', annotations: [], platform: 'linux', artifactType: 1 },
      least,
    ],
    [
      'everything',
      {
        ...least,
        urls: ['https://a'],
        annotations: { a: 'b' },
        platform: { os: 'linux', architecture: 'arm' },
        artifactType: 't',
      },
      {
        ...least,
        urls: ['https://a'],
        annotations: { a: 'b' },
        platform: { os: 'linux', architecture: 'arm' },
        artifactType: 't',
      },
    ],
    [
      'sha512',
      { ...least, digest: `sha512:${'a'.repeat(128)}` },
      { ...least, digest: `sha512:${'a'.repeat(128)}` },
    ],
  ])('reads %s', (_name, json, descriptor) => {
    expect(parseDescriptor(json)).toEqual(descriptor);
  });

  it.each([
    undefined,
    null,
    [],
    'text',
    {},
    { ...least, mediaType: '' },
    { ...least, mediaType: undefined },
    { ...least, digest: 'sha256:00' },
    { ...least, digest: digest.toUpperCase() },
    { ...least, digest: `blake3:${'0'.repeat(64)}` },
    { ...least, size: -1 },
    { ...least, size: 1.5 },
    { ...least, size: '3' },
    { ...least, size: 2 ** 53 },
    { ...least, size: undefined },
  ])('refuses %j', (json) => {
    expect(parseDescriptor(json)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (json) => void parseDescriptor(json)));
  });
});
