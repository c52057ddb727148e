import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPlatform, parsePlatform, platformFromJson } from './platform.ts';

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
    ['Linux/ARM/V7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['unknown/unknown', { os: 'unknown', architecture: 'unknown' }],
  ])('%s', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform);
  });

  it.each([
    '',
    'linux',
    '/',
    'linux/',
    '/amd64',
    'linux//v8',
    'linux/arm64/v8/x',
    'linux /amd64',
    'a/b\n',
    `${'a'.repeat(65)}/b`,
  ])('refuses %j', (text) => {
    expect(parsePlatform(text)).toBeUndefined();
  });

  it('reads what it formats', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,9}\/[a-z0-9]{1,9}(\/[a-z0-9]{1,9})?$/), (text) => {
        const platform = parsePlatform(text);
        expect(platform && formatPlatform(platform)).toBe(text);
      }),
    );
  });
});

describe('platformFromJson', () => {
  it('keeps the version of the OS', () => {
    const json = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1', variant: 3 };
    expect(platformFromJson(json)).toEqual({
      os: 'windows',
      architecture: 'amd64',
      osVersion: '10.0.17763.1',
    });
  });

  it.each([undefined, null, 'linux/amd64', [], {}, { os: 'linux' }, { os: 1, architecture: 'amd64' }])(
    'refuses %j',
    (json) => {
      expect(platformFromJson(json)).toBeUndefined();
    },
  );
});
