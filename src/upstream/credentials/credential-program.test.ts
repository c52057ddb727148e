import { chmod, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { askCredentialProgram } from './credential-program.ts';

const signal = new AbortController().signal;
let folder: TempFolder;

beforeEach(async () => {
  folder = await makeTempFolder();
  vi.stubEnv('PATH', `${folder.path}:${process.env['PATH']}`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await folder.remove();
});

async function install(script: string): Promise<void> {
  const program = `${folder.path}/docker-credential-fake`;
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
}

const ask = async (name = 'fake'): Promise<unknown> =>
  askCredentialProgram({ name, server: 'registry.test' }, signal);

test.each([
  [
    'a password',
    '{"ServerURL":"x","Username":"me","Secret":"pw"}',
    { kind: 'password', username: 'me', password: 'pw' },
  ],
  ['a refresh token', '{"Username":"<token>","Secret":"t"}', { kind: 'identity-token', token: 't' }],
])('takes %s', async (_, answer, expected) => {
  await install(`cat > ${folder.path}/asked; echo "$@" >> ${folder.path}/asked; echo '${answer}'`);
  expect(await ask()).toEqual(expected);
  expect(await readFile(`${folder.path}/asked`, 'utf8')).toBe('registry.test\nget\n');
});

test('does not mind a program that reads nothing', async () => {
  await install(`exec 0<&-; echo '{"Username":"me","Secret":"pw"}'`);
  expect(await ask()).toMatchObject({ username: 'me' });
});

test.each([
  ['has none', 'echo "credentials not found in native keychain"; exit 1', 'credential', /not found/],
  ['answers nonsense', 'echo hush', 'credential', /no answer in JSON/],
  ['answers without a secret', `echo '{"Username":"me"}'`, 'credential', /no answer in JSON/],
  ['answers without end', 'exec yes hush', 'unavailable', /cannot run/],
])('fails where the program %s', async (_, script, kind, message) => {
  await install(script);
  const failure = ask();
  await expect(failure).rejects.toMatchObject({ name: 'UpstreamError', kind });
  await expect(failure).rejects.toThrow(message);
  await expect(failure).rejects.not.toThrow(/hush/);
});

test('fails where there is no such program', async () => {
  await expect(ask('gone')).rejects.toMatchObject({ kind: 'unavailable' });
});

test.each(['../evil', 'a b', '-x', '', 'a;b'])('runs no program of the name %j', async (name) => {
  await expect(ask(name)).rejects.toMatchObject({ kind: 'credential' });
});

test('kills a program that hangs when the caller gives up', async () => {
  await install('exec sleep 600');
  const caller = new AbortController();
  const failure = askCredentialProgram({ name: 'fake', server: 'x' }, caller.signal);
  caller.abort(new Error('enough'));
  await expect(failure).rejects.toThrow('enough');
});
