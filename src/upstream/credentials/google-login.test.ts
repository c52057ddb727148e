import { createSign, generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sendAgain } from '../../../test/fakes/clouds/cloud-listener.ts';
import { FakeGoogle } from '../../../test/fakes/clouds/fake-google.ts';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { systemClock } from '../../base/clock.ts';
import { GoogleLogin, type GoogleLoginOptions } from './google-login.ts';

const signal = new AbortController().signal;
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
let google: FakeGoogle;
let folder: TempFolder;

beforeEach(async () => {
  google = new FakeGoogle();
  await google.start();
  folder = await makeTempFolder();
  // Nothing of the machine that runs the tests.
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  vi.stubEnv('CLOUDSDK_CONFIG', folder.path);
  vi.stubEnv('HOME', folder.path);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await google[Symbol.asyncDispose]();
  await folder.remove();
});

function login(key: string | undefined, changes: Partial<GoogleLoginOptions> = {}): GoogleLogin {
  return new GoogleLogin({
    id: 'google-1',
    key: key === undefined ? undefined : async () => key,
    endpoint: google.origin,
    clock: systemClock,
    ...changes,
  });
}

describe('gets an access token', () => {
  test.each<[string, () => Promise<string | undefined>]>([
    ['with the key of a service account', async () => google.keyFile()],
    [
      'with a workload identity',
      async () => {
        await writeFile(`${folder.path}/token`, google.subjectToken);
        return google.federation(`${folder.path}/token`);
      },
    ],
    [
      'with the key that the environment names',
      async () => {
        await writeFile(`${folder.path}/key.json`, google.keyFile());
        vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', `${folder.path}/key.json`);
        return undefined;
      },
    ],
    [
      'of the machine',
      async () => {
        // Else the library looks the machine's server up by name too, and waits for that.
        vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present');
        vi.stubEnv('GCE_METADATA_HOST', new URL(google.origin).host);
        return undefined;
      },
    ],
  ])('%s', async (_, prepare) => {
    const { credential, expiresAtMs } = await login(await prepare()).obtain(signal);
    expect(credential).toEqual({
      kind: 'password',
      username: 'oauth2accesstoken',
      password: google.accessToken,
    });
    expect(expiresAtMs - Date.now()).toBeGreaterThan(3_500_000);
    expect(expiresAtMs - Date.now()).toBeLessThanOrEqual(3_600_000);
  });
});

describe('fails', () => {
  test.each<[string, () => string, string]>([
    ['the key of somebody else', () => google.keyFile({ private_key: stranger }), 'credential'],
    ['another account', () => google.keyFile({ client_email: 'other@x' }), 'credential'],
    ['a key that is none', () => google.keyFile({ private_key: 'hush' }), 'credential'],
    ['no JSON', () => '{"private_key": "hush', 'credential'],
    ['a list', () => '["hush"]', 'credential'],
  ])('for %s', async (_, key, kind) => {
    const failure = login(key()).obtain(signal);
    await expect(failure).rejects.toMatchObject({ name: 'UpstreamError', kind });
    await expect(failure).rejects.not.toThrow(/hush/);
  });

  test.each([
    [429, 'throttled'],
    [503, 'unavailable'],
    [401, 'credential'],
  ])('as %i means', async (status, kind) => {
    google.failure = { status, body: { error: 'x' } };
    await expect(login(google.keyFile()).obtain(signal)).rejects.toMatchObject({ kind });
  });

  test('where nobody answers', async () => {
    const failure = login(google.keyFile(), { endpoint: 'http://127.0.0.1:9' }).obtain(signal);
    await expect(failure).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('when the signal aborts', async () => {
    await expect(login(google.keyFile()).obtain(AbortSignal.abort(new Error('enough')))).rejects.toThrow();
  });
});

function assertion(claims: object, changes: { key?: string | Buffer; alg?: string } = {}): string {
  const { private_key: own } = JSON.parse(google.keyFile()) as { private_key: string };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: changes.alg ?? 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createSign('sha256')
    .update(text)
    .sign(changes.key ?? own)
    .toString('base64url')}`;
}

/** What the library claims, changed one by one: the stand-in for Google must notice, else it proves nothing. */
describe('an assertion of the library', () => {
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const nowSeconds = Math.floor(Date.now() / 1000);

  test.each<[string, object, { key?: string | Buffer; grant?: string }, number]>([
    ['as it is', {}, {}, 200],
    ['with another audience', { aud: 'https://example.com' }, {}, 400],
    ['with another issuer', { iss: 'other@x' }, {}, 400],
    ['without the scope', { scope: 'openid' }, {}, 400],
    ['that has ended', { iat: nowSeconds - 7200, exp: nowSeconds - 3600 }, {}, 400],
    ['of the future', { iat: nowSeconds + 600, exp: nowSeconds + 1200 }, {}, 400],
    ['that lives too long', { exp: nowSeconds + 7200 }, {}, 400],
    ['with another signature', {}, { key: stranger }, 400],
    ['for another grant', {}, { grant: 'password' }, 400],
  ])('%s', async (_, changes, { key, grant: type = grant }, status) => {
    await login(google.keyFile()).obtain(signal);
    const [request] = google.requests;
    const sent = new URLSearchParams(request!.body).get('assertion')!;
    const claims = JSON.parse(Buffer.from(sent.split('.')[1]!, 'base64url').toString()) as object;
    const changed = assertion({ ...claims, ...changes }, key === undefined ? {} : { key });
    const body = new URLSearchParams({ grant_type: type, assertion: changed }).toString();
    expect((await sendAgain(google.origin, request!, { body })).status).toBe(status);
  });

  test('with a body that was changed on the way', async () => {
    await login(google.keyFile()).obtain(signal);
    const [request] = google.requests;
    const [head, claims, signature] = new URLSearchParams(request!.body).get('assertion')!.split('.');
    const body = new URLSearchParams({ grant_type: grant, assertion: `${head}.${claims}A.${signature}` });
    expect((await sendAgain(google.origin, request!, { body: body.toString() })).status).toBe(400);
  });
});

test('the machine is asked as Google wants it', async () => {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  const bare = { method: 'GET', target: path, headers: {}, body: '' };
  expect((await sendAgain(google.origin, bare, {})).status).toBe(403);
});
