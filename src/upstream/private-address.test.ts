import { expect, test } from 'vitest';
import { isPrivateAddress, namesPrivateHost } from './private-address.ts';

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.0.9',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
])('%s is private', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  '1.1.1.1',
  '100.128.0.1',
  '172.32.0.1',
  '192.169.0.1',
  '2606:4700::1111',
  '64:ff9b::1.1.1.1',
  '::ffff:8.8.8.8',
  '2002:101:101::',
])('%s is public', (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});

test.each([
  'http://0x7f.1/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://localhost/',
  'http://localhost./',
  'http://a.LOCALHOST/',
  'http://169.254.169.254/latest/',
])('%s names a private host', (url) => {
  expect(namesPrivateHost(new URL(url))).toBe(true);
});

test.each([
  'http://example.com/',
  'http://127.0.0.1.example.com/',
  'http://notlocalhost/',
  'http://8.8.8.8/',
])('%s names none', (url) => {
  expect(namesPrivateHost(new URL(url))).toBe(false);
});
