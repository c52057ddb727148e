import { expect, test } from 'vitest';
import { credentialFromDockerConfig } from './docker-config.ts';

const auth = Buffer.from('me:pass:word').toString('base64');

function found(file: object, names: readonly string[] = ['docker.io', 'index.docker.io']): unknown {
  const credential = credentialFromDockerConfig(JSON.stringify(file), names);
  if (typeof credential === 'string') return credential;
  return credential.kind === 'password'
    ? [credential.username, credential.password.reveal()]
    : credential.identityToken.reveal();
}

test.each([
  ['what docker login writes', { auths: { 'https://index.docker.io/v1/': { auth } } }, ['me', 'pass:word']],
  ['a host name as key', { auths: { 'docker.io': { auth } } }, ['me', 'pass:word']],
  ['user and password apart', { auths: { 'docker.io': { username: 'me', password: 'p' } } }, ['me', 'p']],
  ['a token in place of a password', { auths: { 'docker.io': { username: '<token>', password: 't' } } }, 't'],
  ['an identity token', { auths: { 'docker.io': { auth: '', identitytoken: 't' } } }, 't'],
])('reads %s', (_, file, expected) => {
  expect(found(file)).toEqual(expected);
});

test.each([
  ['another registry only', { auths: { 'ghcr.io': { auth } } }, /has no credential for docker\.io/],
  ['a credential store', { auths: { 'docker.io': {} }, credsStore: 'desktop' }, /credential helper/],
  ['a helper for the registry', { credHelpers: { 'docker.io': 'x' } }, /credential helper/],
  ['an entry without colon', { auths: { 'docker.io': { auth: 'bWU=' } } }, /has no credential/],
  ['another shape', { auths: [1] }, /not a Docker configuration/],
])('explains %s', (_, file, expected) => {
  expect(found(file)).toMatch(expected);
});

test('explains what is no JSON without quoting it', () => {
  const text = credentialFromDockerConfig('{"auths": hush', ['docker.io']);
  expect(text).toBe('is not a Docker configuration in JSON');
});
