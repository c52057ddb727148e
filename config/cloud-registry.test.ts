import { expect, test } from 'vitest';
import { cloudRegistryOf } from './cloud-registry.ts';

const ecr = { type: 'ecr', region: 'eu-central-1', fips: false, dualStack: false };

test.each([
  ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', ecr],
  ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', { ...ecr, region: 'us-gov-west-1', fips: true }],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', { ...ecr, region: 'cn-north-1' }],
  ['123456789012.dkr-ecr.eu-central-1.on.aws', { ...ecr, dualStack: true }],
  ['public.ecr.aws', { type: 'ecr-public' }],
  ['gcr.io', { type: 'google' }],
  ['eu.gcr.io', { type: 'google' }],
  ['europe-west3-docker.pkg.dev', { type: 'google' }],
  ['team.azurecr.io', { type: 'azure' }],
  ['team.westeurope.geo.azurecr.io', { type: 'azure' }],
  ['team.azurecr.cn', { type: 'azure' }],
])('knows %s', (host, expected) => {
  expect(cloudRegistryOf(host)).toEqual(expected);
});

test.each([
  'docker.io',
  '12345678901.dkr.ecr.eu-central-1.amazonaws.com',
  '123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.test',
  'api.ecr.eu-central-1.amazonaws.com',
  'evilgcr.io',
  'gcr.io.evil.test',
  'docker.pkg.dev',
  'azurecr.io',
  'team.azurecr.io.evil.test',
])('takes %s for no cloud', (host) => {
  expect(cloudRegistryOf(host)).toBeUndefined();
});
