import { expect, test } from 'vitest';
import { findInDockerConfig } from './docker-config.ts';

const auth = Buffer.from('me:pass:word').toString('base64');

function found(file: object, names: readonly string[] = ['docker.io', 'index.docker.io']): unknown {
  const finding = findInDockerConfig(JSON.stringify(file), names);
  if (typeof finding === 'string') return finding;
  if (finding.kind === 'helper') return [finding.helper.name, finding.helper.server];
  const { credential } = finding;
  return credential.kind === 'password' ? [credential.username, credential.password] : credential.token;
}

test.each([
  ['what docker login writes', { auths: { 'https://index.docker.io/v1/': { auth } } }, ['me', 'pass:word']],
  ['a host name as key', { auths: { 'docker.io': { auth } } }, ['me', 'pass:word']],
  ['user and password apart', { auths: { 'docker.io': { username: 'me', password: 'p' } } }, ['me', 'p']],
  ['a token in place of a password', { auths: { 'docker.io': { username: '<token>', password: 't' } } }, 't'],
  ['an identity token', { auths: { 'docker.io': { auth: '', identitytoken: 't' } } }, 't'],
  [
    'a store for everything',
    { auths: { 'https://index.docker.io/v1/': {} }, credsStore: 'desktop' },
    ['desktop', 'https://index.docker.io/v1/'],
  ],
  ['a store that holds no list', { credsStore: 'pass' }, ['pass', 'https://index.docker.io/v1/']],
  [
    'a helper for the registry before all else',
    { auths: { 'docker.io': { auth } }, credHelpers: { 'docker.io': 'x' }, credsStore: 'desktop' },
    ['x', 'docker.io'],
  ],
  ['an entry before the store', { auths: { 'docker.io': { auth } }, credsStore: 'y' }, ['me', 'pass:word']],
])('reads %s', (_, file, expected) => {
  expect(found(file)).toEqual(expected);
});

test.each([
  ['another registry only', { auths: { 'ghcr.io': { auth } } }, /has no credential for docker\.io/],
  ['an entry without colon', { auths: { 'docker.io': { auth: 'bWU=' } } }, /has no credential/],
  ['another shape', { auths: [1] }, /not a Docker configuration/],
])('explains %s', (_, file, expected) => {
  expect(found(file)).toMatch(expected);
});

test('explains what is no JSON without quoting it', () => {
  const text = findInDockerConfig('{"auths": hush', ['docker.io']);
  expect(text).toBe('is not a Docker configuration in JSON');
});
