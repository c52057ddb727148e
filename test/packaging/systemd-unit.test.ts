import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../programs/run-command.ts';
import { describeWithPrograms } from '../programs/system-packages.ts';
import { TempFolder } from '../programs/temp-folder.ts';
import { projectRoot } from './project.ts';

const unitFile = path.join(projectRoot, 'deploy/systemd/wherry-edge.service');

/** Of 10, as `systemd-analyze security` counts: 1.3 on systemd 252. */
const maxExposure = 2;

describeWithPrograms('the systemd unit', { programs: ['systemd-analyze'] }, () => {
  let folder: TempFolder;
  /** With a program that is there: the check looks for it. */
  let unit: string;

  beforeAll(async () => {
    folder = await TempFolder.create('systemd');
    unit = folder.file('wherry-edge.service');
    const text = await readFile(unitFile, 'utf8');
    await writeFile(unit, text.replace('=/usr/local/bin/wherry', `=${path.join(projectRoot, 'bin/wherry')}`));
  });

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });

  test('says nothing that systemd does not understand', async () => {
    const { stdout, stderr } = await runCommand('systemd-analyze', ['verify', '--man=no', unit]);
    expect([stdout, stderr]).toEqual(['', '']);
  });

  test('leaves the service little that it could do harm with', async () => {
    const { stdout } = await runCommand('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit]);
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    console.log(`systemd-analyze security: ${exposure}`);
    expect(Number(exposure)).toBeLessThanOrEqual(maxExposure);
  });
});

test('the configuration beside the unit is a valid one', async () => {
  const config = path.join(projectRoot, 'deploy/systemd/edge.yaml');
  const { stdout } = await runCommand(path.join(projectRoot, 'bin/wherry'), [
    'check-config',
    '--config',
    config,
  ]);
  expect(stdout).toContain('data: /var/lib/wherry');
});
