import { describe, expect, test } from 'vitest';
import { AddressLimit } from './address-limit.ts';

test('an address may have so many open, and again as many when they are closed', () => {
  const limit = new AddressLimit(2);
  expect([1, 2, 3, 4].map(() => limit.enter('10.0.0.1'))).toEqual([
    'admitted',
    'admitted',
    'refused',
    'refused-again',
  ]);
  expect(limit.enter('10.0.0.2')).toBe('admitted');
  limit.leave('10.0.0.1');
  expect(limit.enter('10.0.0.1')).toBe('admitted');
  expect(limit.enter('10.0.0.1')).toBe('refused');
});

test('nothing is remembered of an address that has nothing open', () => {
  const limit = new AddressLimit(2);
  for (const address of ['10.0.0.1', '2001:db8::1', '10.0.0.1']) limit.enter(address);
  for (const address of ['10.0.0.1', '2001:db8::2', '10.0.0.1']) limit.leave(address);
  expect(limit.size).toBe(0);
});

describe('counted together', () => {
  test.each([
    ['10.0.0.1', '::ffff:10.0.0.1'],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8::1:0:0:0:9'],
    ['::1', '::2'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
  ])('%s and %s', (one, other) => {
    const limit = new AddressLimit(1);
    limit.enter(one);
    expect(limit.enter(other)).toBe('refused');
  });
});

describe('counted apart', () => {
  test.each([
    ['10.0.0.1', '10.0.0.2'],
    ['2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['2001:db8::1', '2001:db9::1'],
    ['::1', '127.0.0.1'],
  ])('%s and %s', (one, other) => {
    const limit = new AddressLimit(1);
    limit.enter(one);
    expect(limit.enter(other)).toBe('admitted');
  });
});
