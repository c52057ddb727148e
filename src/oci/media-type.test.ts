import { describe, expect, it } from 'vitest';
import * as types from './media-type.ts';

describe('media types', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/VND.OCI.Image.Index.v1+JSON; charset=utf-8', types.ociIndexType],
    [' text/plain ;q=1;x', 'text/plain'],
    [';', ''],
    ['', ''],
  ])('normalises %j to %j', (text, normalised) => {
    expect(types.normaliseMediaType(text)).toBe(normalised);
  });

  it.each([
    [types.ociIndexType, { index: true, image: false }],
    [types.dockerListType, { index: true, image: false }],
    [types.ociManifestType, { index: false, image: true }],
    [types.dockerManifestType, { index: false, image: true }],
    [types.ociArtifactManifestType, { index: false, image: false }],
    [types.orasArtifactManifestType, { index: false, image: false }],
    [types.dockerSchema1Type, { index: false, image: false }],
    [types.dockerSignedSchema1Type, { index: false, image: false }],
    [types.ociConfigType, { index: false, image: false }],
  ])('%s', (type, { index, image }) => {
    expect([types.isIndexType(type), types.isImageManifestType(type)]).toEqual([index, image]);
  });

  it('accepts indexes before manifests, in one field', () => {
    expect(types.manifestAccept.split(', ')).toEqual([
      types.ociIndexType,
      types.dockerListType,
      types.ociManifestType,
      types.dockerManifestType,
      types.ociArtifactManifestType,
    ]);
  });
});
