import { writeFile } from 'node:fs/promises';
import https from 'node:https';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sendAgain } from '../../../test/fakes/clouds/cloud-listener.ts';
import { FakeAws } from '../../../test/fakes/clouds/fake-aws.ts';
import { makeTempFolder, type TempFolder } from '../../../test/fakes/temp-folder.ts';
import { systemClock } from '../../base/clock.ts';
import { nodeDiskFiles } from '../../base/disk-files.ts';
import { EcrLogin, type EcrLoginOptions } from './ecr-login.ts';
import { FileStamps } from './file-stamps.ts';

const signal = new AbortController().signal;
let aws: FakeAws;
let folder: TempFolder;

beforeEach(async () => {
  aws = new FakeAws();
  await aws.start();
  folder = await makeTempFolder();
  // Nothing of the machine that runs the tests, and nothing outside of it.
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', `${folder.path}/credentials`);
  vi.stubEnv('AWS_CONFIG_FILE', `${folder.path}/config`);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', aws.origin);
  vi.stubEnv('AWS_REGION', aws.region);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await aws[Symbol.asyncDispose]();
  await folder.remove();
});

function login(changes: Partial<EcrLoginOptions> = {}): EcrLogin {
  return new EcrLogin({
    id: 'ecr-1',
    registry: 'private',
    region: aws.region,
    fips: false,
    dualStack: false,
    endpoint: aws.origin,
    stsEndpoint: aws.origin,
    keys: undefined,
    profile: undefined,
    role: undefined,
    profileFiles: new FileStamps([], { files: nodeDiskFiles, clock: systemClock }),
    httpsAgent: () => new https.Agent(),
    ...changes,
  });
}

function keys(secret = aws.key.secret): EcrLoginOptions['keys'] {
  return { accessKeyId: aws.key.id, secretAccessKey: async () => secret };
}

describe('gets a password', () => {
  const obtained = { credential: { kind: 'password', username: 'AWS', password: 'ecr-password-hush' } };

  test.each<[string, () => Promise<Partial<EcrLoginOptions>>]>([
    ['with a fixed key', async () => ({ keys: keys() })],
    ['of ECR Public', async () => ({ keys: keys(), registry: 'public', region: 'us-east-1' })],
    ['for a role', async () => ({ keys: keys(), role: { arn: aws.roleArn, externalId: undefined } })],
    [
      'for a role with an external id',
      async () => {
        aws.externalId = 'agreed';
        return { keys: keys(), role: { arn: aws.roleArn, externalId: 'agreed' } };
      },
    ],
    [
      'with a profile',
      async () => {
        const profile = `[edge]\naws_access_key_id=${aws.key.id}\naws_secret_access_key=${aws.key.secret}\n`;
        await writeFile(`${folder.path}/credentials`, profile);
        return { profile: 'edge' };
      },
    ],
    [
      'with a key of the environment',
      async () => {
        vi.stubEnv('AWS_ACCESS_KEY_ID', aws.key.id);
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', aws.key.secret);
        return {};
      },
    ],
    [
      'with a web identity',
      async () => {
        await writeFile(`${folder.path}/token`, aws.webIdentityToken);
        vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', `${folder.path}/token`);
        vi.stubEnv('AWS_ROLE_ARN', aws.roleArn);
        return {};
      },
    ],
    [
      'with the credentials of a container',
      async () => {
        vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${aws.origin}/container-credentials`);
        return {};
      },
    ],
    [
      'with the role of the machine',
      async () => {
        vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
        vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', aws.origin);
        return {};
      },
    ],
  ])('%s', async (_, prepare) => {
    const options = await prepare();
    const found = await login(options).obtain(signal);
    expect(found).toMatchObject(obtained);
    expect(found.expiresAtMs - Date.now()).toBeGreaterThan(11 * 3_600_000);
  });
});

describe('fails', () => {
  test.each<[string, () => Partial<EcrLoginOptions>, string]>([
    ['a wrong secret', () => ({ keys: keys('wrong') }), 'credential'],
    [
      'a key that there is not',
      () => ({ keys: { accessKeyId: 'AKIDGONE', secretAccessKey: async () => 'x' } }),
      'credential',
    ],
    ['another region', () => ({ keys: keys(), region: 'us-west-2' }), 'credential'],
    [
      'a role that is not ours',
      () => ({ keys: keys(), role: { arn: `${aws.roleArn}-x`, externalId: undefined } }),
      'credential',
    ],
    [
      'a role without its external id',
      () => ({ keys: keys(), role: { arn: aws.roleArn, externalId: 'other' } }),
      'credential',
    ],
    ['a profile that there is not', () => ({ profile: 'gone' }), 'unavailable'],
    ['nothing to sign with', () => ({}), 'unavailable'],
    ['nobody at the endpoint', () => ({ keys: keys(), endpoint: 'http://127.0.0.1:9' }), 'unavailable'],
  ])('for %s', async (_, options, kind) => {
    const failure = login(options()).obtain(signal);
    await expect(failure).rejects.toMatchObject({ name: 'UpstreamError', kind });
    await expect(failure).rejects.not.toThrow(/hush/);
  });

  test.each([
    [503, 'ServerException', 'unavailable'],
    [400, 'ThrottlingException', 'throttled'],
    [400, 'AccessDeniedException', 'credential'],
  ])('as %i %s means', async (status, name, kind) => {
    aws.failure = { status, headers: { 'x-amzn-errortype': name }, body: { __type: name } };
    await expect(login({ keys: keys() }).obtain(signal)).rejects.toMatchObject({ kind });
  });

  test('when the signal aborts', async () => {
    const reason = new Error('enough');
    await expect(login({ keys: keys() }).obtain(AbortSignal.abort(reason))).rejects.toThrow();
  });
});

/** What the real SDK signed, changed on the way: the stand-in for AWS must notice, else it proves nothing. */
test.each<[string, Parameters<typeof sendAgain>[2], number]>([
  ['nothing', {}, 200],
  ['the body', { body: '{"registryIds":["1"]}' }, 400],
  ['the target', { headers: { 'x-amz-target': 'SpencerFrontendService.GetAuthorizationToken' } }, 400],
  [
    'the operation',
    { headers: { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DeleteRepository' } },
    400,
  ],
  ['the date', { headers: { 'x-amz-date': '20200101T000000Z' } }, 400],
  ['the path', { target: '/other' }, 400],
  ['the query', { target: '/?a=b' }, 400],
  ['a session token', { headers: { 'x-amz-security-token': 'x' } }, 400],
  ['no signature', { headers: { authorization: undefined } }, 400],
])('a request of the SDK with %s changed', async (_, changes, status) => {
  await login({ keys: keys() }).obtain(signal);
  const [request] = aws.requests;
  expect((await sendAgain(aws.origin, request!, changes)).status).toBe(status);
});

test.each([-6, 6])('a request that is %i minutes off is refused', async (minutes) => {
  await login({ keys: keys() }).obtain(signal);
  const [request] = aws.requests;
  aws.nowMs = () => Date.now() - minutes * 60_000;
  expect((await sendAgain(aws.origin, request!, {})).status).toBe(400);
});

test('the fingerprint follows the secret and tells nothing of it', async () => {
  const [one, same, other] = await Promise.all(
    ['hush', 'hush', 'other'].map(async (secret) => login({ keys: keys(secret) }).fingerprint()),
  );
  expect(one).toBe(same);
  expect(one).not.toBe(other);
  expect(one).not.toContain('hush');
});
