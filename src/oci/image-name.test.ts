import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatImageName, parseImageName } from './image-name.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('parseImageName', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`],
    [`alpine:3.20@${digest}`, `docker.io/library/alpine@${digest}`],
    ['owner/app', 'docker.io/owner/app:latest'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest'],
    ['ghcr.io/a/b:v1', 'ghcr.io/a/b:v1'],
    ['GHCR.io/a/b:V1', 'ghcr.io/a/b:V1'],
    [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
    ['quay.io/single', 'quay.io/single:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['localhost:5000/x:y', 'localhost:5000/x:y'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    ['localhost', 'docker.io/library/localhost:latest'],
    ['host.without.slash', 'docker.io/library/host.without.slash:latest'],
  ])('%s is %s', (text, complete) => {
    const name = parseImageName(text);
    expect(name && formatImageName(name)).toBe(complete);
  });

  it.each([
    '',
    '/',
    ':latest',
    'Alpine',
    'alpine:',
    'alpine@',
    'alpine@latest',
    'alpine:a:b',
    'alpine:-x',
    `alpine:-x@${digest}`,
    'alpine@sha256:00',
    `alpine@${digest}@${digest}`,
    'a//b',
    'a/',
    '/a',
    'a b',
    'ab'.repeat(32),
    'ghcr.io/',
    'ghcr.io:port/a',
    '-.io/a',
    '[zz]/a',
    'https://ghcr.io/a',
    'a..b',
    'user@ghcr.io/a',
    'a\n',
  ])('refuses %j', (text) => {
    expect(parseImageName(text)).toBeUndefined();
  });

  it('never throws, and reads back what it formats', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a-z.:/@0-9-]{1,40}$/),
      fc.stringMatching(/^([a-z]{1,3}\.io\/)?[a-z]{1,4}(\/[a-z]{1,3})?(:[a-z0-9]{1,3})?$/),
    );
    fc.assert(
      fc.property(text, (text) => {
        const name = parseImageName(text);
        if (name !== undefined) expect(parseImageName(formatImageName(name))).toEqual(name);
      }),
    );
  });
});
