import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { bytes, bytesOrAuto, count, diskShare, duration, fraction, secret, toggle } from './field-kinds.ts';
import { choice } from './field.ts';
import { realmOrigin, registryName, registryUrl, tagPattern } from './registry-fields.ts';
import { secretMask } from './secret.ts';

const kinds = {
  duration: duration('A duration.'),
  pause: duration('A pause.', { minMs: 1 }),
  bytes: bytes('A size.'),
  bytesOrAuto: bytesOrAuto('A size.'),
  diskShare: diskShare('A share.'),
  count: count('A count.', { min: 1, max: 10 }),
  fraction: fraction('A fraction.'),
  toggle: toggle('A toggle.'),
  choice: choice('A choice.', ['refuse', 'serve']),
  name: registryName('A name.'),
  url: registryUrl('An address.'),
  realm: realmOrigin('A realm.'),
  pattern: tagPattern('A pattern.'),
} as const satisfies Readonly<Record<string, z.ZodType>>;

type Kind = keyof typeof kinds;

const valid: readonly (readonly [Kind, string | number | boolean, unknown])[] = [
  ['duration', '90s', 90_000],
  ['duration', '0s', 0],
  ['duration', 0, 0],
  ['bytes', '20MB', 20_000_000],
  ['bytes', 1024, 1024],
  ['bytesOrAuto', 'auto', 'auto'],
  ['bytesOrAuto', '1GiB', 1024 ** 3],
  ['diskShare', '2%', { unit: 'fraction', fraction: 0.02 }],
  ['diskShare', '1GiB', { unit: 'bytes', bytes: 1024 ** 3 }],
  ['count', 10, 10],
  ['count', '7', 7],
  ['fraction', 1, 1],
  ['fraction', '0.95', 0.95],
  ['toggle', true, true],
  ['toggle', 'false', false],
  ['choice', 'serve', 'serve'],
  ['name', 'registry.example.com:5000', 'registry.example.com:5000'],
  ['url', 'https://registry.example.com/', 'https://registry.example.com'],
  ['url', 'http://127.0.0.1:5000', 'http://127.0.0.1:5000'],
  ['realm', 'auth.example.com', 'https://auth.example.com'],
  ['realm', 'http://auth.example.com:81', 'http://auth.example.com:81'],
  ['pattern', 'v1.*', 'v1.*'],
];

test.each(valid)('%s reads %s', (kind, written, expected) => {
  expect(kinds[kind].parse(written)).toEqual(expected);
});

const invalid: readonly (readonly [Kind, unknown, RegExp])[] = [
  ['duration', 60, /expected a duration .* got "60"/],
  ['duration', '5x', /got "5x"/],
  ['duration', [], /got a list/],
  ['duration', undefined, /is required/],
  ['pause', '0s', /at least 1ms/],
  ['bytes', '10G', /got "10G"/],
  ['bytes', 0, /expected a size/],
  ['bytesOrAuto', 'all', /or auto/],
  ['diskShare', '100%', /percentage/],
  ['count', 11, /from 1 to 10/],
  ['count', '1.5', /whole number/],
  ['count', -1, /whole number/],
  ['fraction', 0, /above 0/],
  ['fraction', 1.1, /at most 1/],
  ['toggle', 'yes', /true or false/],
  ['choice', 'sreve', /one of refuse, serve/],
  ['choice', 'serv', /did you mean "serve"/],
  ['name', 'https://ghcr.io', /without a scheme/],
  ['name', 'ghcr.io/owner', /without a path/],
  ['name', 'GHCR.io', /lower case: "ghcr.io"/],
  ['name', '-', /registry name/],
  ['url', 'ftp://a.example', /https:\/\/ or http:\/\//],
  ['url', 'https://a.example/v2/', /path/],
  ['url', 'https://a.example/?a=b', /query/],
  ['url', 'a.example', /expected an address/],
  ['pattern', 'a/b', /tag pattern/],
];

test.each(invalid)('%s refuses %j', (kind, written, message) => {
  const parsed = kinds[kind].safeParse(written);
  expect(parsed.error?.issues).toHaveLength(1);
  expect(parsed.error?.issues[0]?.message).toMatch(message);
});

describe('secrets', () => {
  test('are not in what printing a configuration gives', () => {
    const value = secret('A secret.').parse('hush');
    expect(value.reveal()).toBe('hush');
    expect(`${JSON.stringify({ value })} ${String(value)}`).not.toContain('hush');
    expect(secret('A secret.').encode(value)).toBe(secretMask);
  });

  test('are not in messages', () => {
    expect(secret('A secret.').safeParse(['hush']).error?.issues[0]?.message).not.toContain('hush');
  });

  test('in an address are not in messages', () => {
    const message = kinds.url.safeParse('https://me:hush@a.example').error?.issues[0]?.message;
    expect(message).toMatch(/user name or a password/);
    expect(message).not.toContain('hush');
  });
});
