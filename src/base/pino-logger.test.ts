import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { createPinoLogger } from './pino-logger.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

function fixture(level: 'debug' | 'info' | 'silent' = 'info') {
  const file = join(folder, 'log', 'edge.log');
  const clock = new ManualClock(Date.UTC(2026, 1, 3, 4, 5, 6, 7));
  const logger = createPinoLogger({ level, destination: { file }, clock });
  return { file, clock, logger };
}

describe('createPinoLogger', () => {
  it('writes one JSON line a call: level word, ISO time, fields, sentence', async () => {
    const { file, clock, logger } = fixture();
    logger.info('pull served', { repository: 'library/alpine', bytes: 5, note: undefined });
    await clock.advance(1);
    logger.warn('100% full, %s');
    await logger.close();
    expect(linesOf(file)).toEqual([
      {
        level: 'info',
        time: '2026-02-03T04:05:06.007Z',
        repository: 'library/alpine',
        bytes: 5,
        msg: 'pull served',
      },
      { level: 'warn', time: '2026-02-03T04:05:06.008Z', msg: '100% full, %s' },
    ]);
  });

  it('adds the fields of a child to each of its lines', async () => {
    const { file, logger } = fixture();
    const fields = Object.assign(Object.create(null) as Record<string, unknown>, { part: 'fill' });
    logger.child(fields).child({ digest: 'sha256:00' }).info('done');
    await logger.close();
    expect(linesOf(file)).toMatchObject([{ part: 'fill', digest: 'sha256:00', msg: 'done' }]);
  });

  it('shows an error with its code and causes', async () => {
    const { file, logger } = fixture();
    const cause = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    logger.error('upstream failed', { error: new Error('no answer', { cause }) });
    await logger.close();
    expect(linesOf(file)).toMatchObject([
      { error: { name: 'Error', message: 'no answer', cause: { code: 'ECONNRESET' } } },
    ]);
  });

  it('leaves header objects out', async () => {
    const { file, logger } = fixture();
    const headers = { authorization: 'Bearer secret' };
    logger.info('request', { headers, rawHeaders: ['authorization', 'secret'] });
    logger.child({ headers }).info('request');
    await logger.close();
    expect(readFileSync(file, 'utf8')).not.toContain('secret');
    expect(linesOf(file)).toHaveLength(2);
  });

  it('does not throw on fields that JSON cannot hold', async () => {
    const { file, logger } = fixture();
    const circle: Record<string, unknown> = { big: 1n };
    circle['self'] = circle;
    logger.info('odd', circle);
    logger.info('bare', Object.assign(Object.create(null) as Record<string, unknown>, { a: 1 }));
    await logger.close();
    expect(linesOf(file)).toMatchObject([{ msg: 'odd' }, { msg: 'bare', a: 1 }]);
  });

  it('changes the level of all children at once', async () => {
    const { file, logger } = fixture('info');
    const child = logger.child({ part: 'fill' });
    child.debug('not yet');
    logger.setLevel('debug');
    child.debug('now');
    logger.setLevel('silent');
    child.error('never');
    await logger.close();
    expect(linesOf(file).map((line) => line['msg'])).toEqual(['now']);
  });

  it('has written every line by the end of close, and drops later ones quietly', async () => {
    const { file, logger } = fixture();
    for (let index = 0; index < 5_000; index += 1) logger.info('line', { index });
    await logger.close();
    logger.info('too late');
    await logger.close();
    expect(linesOf(file).map((line) => line['index'])).toEqual(
      Array.from({ length: 5_000 }, (_, index) => index),
    );
  });

  it('has handed over the lines so far after flush', async () => {
    const { file, logger } = fixture();
    logger.info('short');
    await logger.flush();
    expect(linesOf(file)).toHaveLength(1);
    await logger.close();
  });

  it('goes on in a new file after rotation', async () => {
    const { file, logger } = fixture();
    logger.info('before');
    await logger.flush();
    renameSync(file, `${file}.1`);
    logger.reopen();
    logger.info('after');
    await logger.close();
    expect(linesOf(`${file}.1`).map((line) => line['msg'])).toEqual(['before']);
    expect(linesOf(file).map((line) => line['msg'])).toEqual(['after']);
  });

  it.skipIf(process.platform !== 'linux')('lets the process end when the disk of the log is full', () => {
    const script = `
      import { createPinoLogger } from ${JSON.stringify(new URL('pino-logger.ts', import.meta.url).href)};
      const logger = createPinoLogger({ level: 'info', destination: { file: '/dev/full' } });
      logger.info('lost');
      await logger.flush().catch((error) => process.stdout.write(error.code));
      await logger.close();
      process.exit(7);`;
    const options = { encoding: 'utf8', timeout: 15_000 } as const;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
    expect([child.stdout, child.status]).toEqual(['ENOSPC', 7]);
    expect(child.stderr).toContain('log cannot be written');
  });

  it('fails at once when the file cannot be opened', () => {
    expect(() => createPinoLogger({ level: 'info', destination: { file: folder } })).toThrow('EISDIR');
  });
});
