import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isForeignLayer, manifestLinks } from './manifest-links.ts';
import { parseManifest } from './manifest.ts';
import * as types from './media-type.ts';

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const config = { mediaType: types.ociConfigType, digest: digestOf('c'), size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf('1'), size: 10 };
const child = { mediaType: types.ociManifestType, digest: digestOf('d'), size: 500 };
const image = { schemaVersion: 2, mediaType: types.ociManifestType, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: types.ociIndexType, manifests: [child] };
const without = (json: object, name: string): object =>
  Object.fromEntries(Object.entries(json).filter(([key]) => key !== name));

const parse = (json: unknown, mediaType: string) =>
  parseManifest(new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json)), mediaType);

const parsedImage = { kind: 'image', config, layers: [layer] };
const parsedIndex = { kind: 'index', manifests: [child] };

describe('parseManifest', () => {
  it.each([
    ['an image', image, types.ociManifestType, parsedImage],
    ['an index', index, types.ociIndexType, parsedIndex],
    [
      'parameters and case of the given type',
      image,
      'Application/vnd.OCI.image.manifest.v1+json; charset=utf-8',
      parsedImage,
    ],
    [
      'a Docker image',
      { ...image, mediaType: types.dockerManifestType },
      types.dockerManifestType,
      parsedImage,
    ],
    ['a Docker list', { ...index, mediaType: types.dockerListType }, types.dockerListType, parsedIndex],
    ['a given type alone', without(image, 'mediaType'), types.ociManifestType, parsedImage],
    ['a body type alone', index, 'application/json', parsedIndex],
    ['the shape of an image alone', without(image, 'mediaType'), 'text/plain', parsedImage],
    ['the shape of an index alone', without(index, 'mediaType'), '', parsedIndex],
    [
      'layers that are null',
      { ...image, layers: null },
      types.ociManifestType,
      { ...parsedImage, layers: [] },
    ],
    [
      'an image with manifests that are null',
      { ...image, manifests: null },
      types.ociManifestType,
      parsedImage,
    ],
    ['no layers', without(image, 'layers'), types.ociManifestType, { ...parsedImage, layers: [] }],
    ['no config', without(image, 'config'), types.ociManifestType, { kind: 'image', layers: [layer] }],
    ['an empty index', { ...index, manifests: [] }, types.ociIndexType, { kind: 'index', manifests: [] }],
    [
      'a list that holds null',
      { ...index, manifests: null },
      types.ociIndexType,
      { kind: 'index', manifests: [] },
    ],
    [
      'a subject, an artifact type and annotations',
      { ...index, subject: child, artifactType: 'application/x', annotations: { a: 'b' } },
      types.ociIndexType,
      { ...parsedIndex, subject: child, artifactType: 'application/x', annotations: { a: 'b' } },
    ],
    [
      'unknown fields',
      { ...image, custom: { deep: [1] }, subject: null },
      types.ociManifestType,
      parsedImage,
    ],
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, types.dockerSignedSchema1Type, { kind: 'opaque' }],
    [
      'an artifact manifest',
      { mediaType: types.ociArtifactManifestType, blobs: [] },
      types.ociArtifactManifestType,
      { kind: 'opaque' },
    ],
    ['an unknown type', 'not even JSON', 'application/x-own', { kind: 'opaque' }],
  ])('takes %s', (_name, json, mediaType, parsed) => {
    expect(parse(json, mediaType)).toEqual(parsed);
  });

  it.each([
    ['layers beside manifests', { ...image, manifests: [] }, types.ociManifestType],
    ['manifests beside layers', { ...index, layers: [] }, types.ociIndexType],
    ['both, of unknown type', { layers: [], manifests: [] }, 'application/json'],
    ['an index given as an image', index, types.ociManifestType],
    ['an image given as an index', image, types.dockerListType],
    ['another type given as an image', { ...image, mediaType: 'application/x' }, types.ociManifestType],
    ['manifests without a type, given as an image', without(index, 'mediaType'), types.ociManifestType],
    ['layers without a type, given as an index', without(image, 'mediaType'), types.ociIndexType],
    ['a wrong layer', { ...image, layers: [{ ...layer, size: -1 }] }, types.ociManifestType],
    ['layers that are no list', { ...image, layers: {} }, types.ociManifestType],
    ['a wrong config', { ...image, config: {} }, types.ociManifestType],
    ['a wrong subject', { ...index, subject: { digest: 'x' } }, types.ociIndexType],
    ['a wrong child', { ...index, manifests: [null] }, types.ociIndexType],
    [
      'too many children',
      { ...index, manifests: Array.from({ length: 10_001 }, () => child) },
      types.ociIndexType,
    ],
    ['no JSON', '{', types.ociManifestType],
    ['a byte order mark', `\uFEFF${JSON.stringify(image)}`, types.ociManifestType],
    ['a list', '[]', types.ociIndexType],
    ['null', 'null', types.ociIndexType],
    ['nothing', '', types.ociManifestType],
    ['deep nesting', `{"a":${'['.repeat(2_000_000)}`, types.ociManifestType],
    [
      'deep nesting that is closed',
      `{"layers":[],"a":${'['.repeat(100)}${']'.repeat(100)}}`,
      types.ociManifestType,
    ],
  ])('refuses %s', (_name, json, mediaType) => {
    expect(parse(json, mediaType)).toBeUndefined();
  });

  it('refuses bytes that are not UTF-8', () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...image, annotations: { a: 'b' } }));
    bytes[bytes.lastIndexOf(0x62)] = 0xff;
    expect(parseManifest(bytes, types.ociManifestType)).toBeUndefined();
  });

  it('never throws on any bytes or JSON', () => {
    const type = fc.constantFrom(types.ociIndexType, types.ociManifestType, 'x/y');
    fc.assert(fc.property(fc.uint8Array(), type, (bytes, type) => void parseManifest(bytes, type)));
    const body = fc.record(
      {
        mediaType: fc.oneof(type, fc.jsonValue()),
        layers: fc.jsonValue(),
        manifests: fc.jsonValue(),
        config: fc.jsonValue(),
        subject: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(body, type, (json, type) => void parse(json, type)));
  });
});

describe('manifestLinks', () => {
  it.each([
    [
      'config and layers of an image',
      image,
      types.ociManifestType,
      { blobs: [config, layer], manifests: [] },
    ],
    [
      'children of an index, not its subject',
      { ...index, subject: child },
      types.ociIndexType,
      { blobs: [], manifests: [child] },
    ],
    ['nothing of what is opaque', {}, 'application/x', { blobs: [], manifests: [] }],
  ])('gives %s', (_name, json, mediaType, links) => {
    expect(manifestLinks(parse(json, mediaType)!)).toEqual(links);
  });
});

describe('isForeignLayer', () => {
  it.each([
    [layer, false],
    [{ ...layer, urls: ['https://elsewhere/'] }, true],
    [{ ...layer, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' }, true],
    [{ ...layer, mediaType: 'Application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }, true],
  ])('%j: %s', (json, foreign) => {
    const parsed = parse({ ...image, layers: [json] }, types.ociManifestType);
    expect(isForeignLayer(manifestLinks(parsed!).blobs[1]!)).toBe(foreign);
  });
});
