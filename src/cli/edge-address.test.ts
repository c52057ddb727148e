import { expect, test } from 'vitest';
import { parseEdgeAddress } from './edge-address.ts';

test.each([
  [
    'http://10.0.0.5:5000',
    { url: 'http://10.0.0.5:5000', host: '10.0.0.5:5000', plainHttp: true, loopback: false },
  ],
  [
    'https://edge.example.com/',
    { url: 'https://edge.example.com', host: 'edge.example.com', plainHttp: false, loopback: false },
  ],
  ['http://127.0.0.1:5000', { host: '127.0.0.1:5000', loopback: true }],
  ['http://[::1]:5000', { host: '[::1]:5000', loopback: true }],
  ['http://localhost', { host: 'localhost', loopback: true }],
  ['https://edge', { url: 'https://edge', host: 'edge:443' }],
  ['http://edge', { url: 'http://edge', host: 'edge:80' }],
])('reads %s', (text, expected) => {
  expect(parseEdgeAddress(text)).toMatchObject(expected);
});

test.each([
  'edge:5000',
  '10.0.0.5',
  'ftp://edge',
  'http://edge/path',
  'http://me:pw@edge',
  'http://edge?a',
  'http://edge/#a',
  '',
])('refuses "%s"', (text) => {
  expect(parseEdgeAddress(text)).toBeUndefined();
});
