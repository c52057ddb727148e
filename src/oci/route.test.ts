import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute, type Route } from './route.ts';

const hex = 'a'.repeat(64);

const valid: readonly (readonly [path: string, route: Route])[] = [
  ['/v2', { kind: 'base' }],
  ['/v2/', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/alpine/manifests/3.20', { kind: 'manifest', name: 'alpine', reference: '3.20' }],
  [
    '/v2/ghcr.io/owner/app/manifests/latest',
    { kind: 'manifest', name: 'ghcr.io/owner/app', reference: 'latest' },
  ],
  [`/v2/a/manifests/sha256:${hex}`, { kind: 'manifest', name: 'a', reference: `sha256:${hex}` }],
  [`/v2/a/manifests/sha256%3A${hex}`, { kind: 'manifest', name: 'a', reference: `sha256:${hex}` }],
  ['/v2/library%2Falpine/manifests/edge', { kind: 'manifest', name: 'library/alpine', reference: 'edge' }],
  ['/v2/a%252Fb/manifests/x', { kind: 'manifest', name: 'a%2Fb', reference: 'x' }],
  ['/v2/localhost:5000/a/tags/list', { kind: 'tags', name: 'localhost:5000/a' }],
  ['/v2/a/tags/list', { kind: 'tags', name: 'a' }],
  ['/v2/tags/list/tags/list', { kind: 'tags', name: 'tags/list' }],
  [`/v2/a/b/blobs/sha256:${hex}`, { kind: 'blob', name: 'a/b', digest: `sha256:${hex}` }],
  ['/v2/a/blobs/b/blobs/x', { kind: 'blob', name: 'a/blobs/b', digest: 'x' }],
  ['/v2/a/blobs/uploads/', { kind: 'upload-start', name: 'a' }],
  ['/v2/a/blobs/uploads', { kind: 'upload-start', name: 'a' }],
  ['/v2/a/blobs/uploads/blobs/uploads/', { kind: 'upload-start', name: 'a/blobs/uploads' }],
  ['/v2/a/b/blobs/uploads/0f-9_=', { kind: 'upload', name: 'a/b', session: '0f-9_=' }],
  ['/v2/a/blobs/uploads/manifests/x', { kind: 'manifest', name: 'a/blobs/uploads', reference: 'x' }],
  ['/v2/manifests/manifests/manifests', { kind: 'manifest', name: 'manifests', reference: 'manifests' }],
  ['/v2/uploads/uploads/blobs/uploads/x', { kind: 'upload', name: 'uploads/uploads', session: 'x' }],
  [`/v2/a/referrers/sha256:${hex}`, { kind: 'referrers', name: 'a', digest: `sha256:${hex}` }],
  ['/v2/a.b/...c/manifests/v1..2', { kind: 'manifest', name: 'a.b/...c', reference: 'v1..2' }],
  ['/v2/.../manifests/x', { kind: 'manifest', name: '...', reference: 'x' }],
];

const invalid = [
  '',
  '/',
  '/v1/',
  '/v2x',
  '/V2/',
  'v2/a/tags/list',
  '/v2//',
  '/v2/_catalog/',
  '/v2/alpine',
  '/v2/alpine/',
  '/v2/manifests/latest',
  '/v2//manifests/latest',
  '/v2/a//manifests/latest',
  '/v2/a/manifests/',
  '/v2/a/manifests',
  '/v2/a/manifests/x/',
  '/v2/a/manifests/x/y',
  '/v2/a/manifests/x%2Fy',
  '/v2/blobs/uploads/',
  '/v2//blobs/uploads/',
  '/v2/blobs/uploads/x',
  '/v2/a/blobs/uploads//',
  '/v2/a/blobs/uploads/x/',
  '/v2/a/uploads/x',
  '/v2/tags/list',
  '/v2/a/tags/other',
  '/v2/a/_oci/ext/discover',
  '/v2/_oci/ext/discover',
  '/v2/a/./manifests/x',
  '/v2/../manifests/x',
  '/v2/a/../b/manifests/x',
  '/v2/a/%2e%2e/manifests/x',
  '/v2/a/%2E/manifests/x',
  '/v2/a%2F/manifests/x',
  '/v2/a/manifests/..',
  '/v2/a\\b/manifests/x',
  '/v2/a%5Cb/manifests/x',
  '/v2/a\u0000/manifests/x',
  '/v2/a%00/manifests/x',
  '/v2/a%0A/manifests/x',
  '/v2/a%7F/manifests/x',
  '/v2/a%C2%85/manifests/x',
  '/v2/a%/manifests/x',
  '/v2/a%zz/manifests/x',
  '/v2/a%ff/manifests/x',
  `/v2/${'a'.repeat(1_024)}/manifests/x`,
];

describe('parseRoute', () => {
  it.each(valid)('%j', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each(invalid)('refuses %j', (path) => {
    expect(parseRoute(path)).toBeUndefined();
  });

  it('never throws on any text behind /v2/', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        parseRoute(text);
        parseRoute(`/v2/${text}`);
        parseRoute(`/v2/${text}/manifests/${text}`);
      }),
    );
  });

  it('takes apart what it was put together from, whatever words the name is made of', () => {
    const word = fc.constantFrom(
      'manifests',
      'blobs',
      'uploads',
      'tags',
      'list',
      'referrers',
      'a',
      'x.y',
      '_',
    );
    const name = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join('/'));
    const tail = fc.constantFrom('latest', 'list', `sha256:${hex}`, 'manifests', '0-a_b=');
    fc.assert(
      fc.property(name, tail, (name, tail) => {
        const escaped = encodeURIComponent(tail);
        expect(parseRoute(`/v2/${name}/manifests/${escaped}`)).toEqual({
          kind: 'manifest',
          name,
          reference: tail,
        });
        expect(parseRoute(`/v2/${name}/blobs/${tail}`)).toEqual({ kind: 'blob', name, digest: tail });
        expect(parseRoute(`/v2/${name}/referrers/${tail}`)).toEqual({
          kind: 'referrers',
          name,
          digest: tail,
        });
        expect(parseRoute(`/v2/${name}/blobs/uploads/${tail}`)).toEqual({
          kind: 'upload',
          name,
          session: tail,
        });
        expect(parseRoute(`/v2/${name}/blobs/uploads/`)).toEqual({ kind: 'upload-start', name });
        expect(parseRoute(`/v2/${name}/tags/list`)).toEqual({ kind: 'tags', name });
      }),
    );
  });
});
