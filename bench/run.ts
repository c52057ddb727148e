import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Comparison } from './comparison.ts';
import { formatTable } from './format-table.ts';
import { describeMachine } from './machine.ts';
import { questions } from './questions.ts';

const names = questions.map(({ name }) => name);
const usage = `usage: npm run bench -- [--rounds N] [--quick] [question...]\nquestions: ${names.join(' ')}`;

interface Arguments {
  readonly rounds: number;
  readonly loadSeconds: number;
  readonly asked: readonly string[];
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false } },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  const unknown = positionals.filter((name) => !names.includes(name));
  if (!Number.isInteger(rounds) || rounds < 1 || unknown.length > 0) throw new Error(usage);
  return { rounds, loadSeconds: values.quick ? 2 : 5, asked: positionals.length === 0 ? names : positionals };
}

/** Programs that were started die with this process, which their starter sees to; folders are removed here. */
function makeFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-bench-'));
  process.once('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  );
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
  return folder;
}

async function run({ rounds, loadSeconds, asked }: Arguments): Promise<boolean> {
  const root = makeFolder();
  const comparisons: Comparison[] = [];
  let allAnswered = true;
  for (const question of questions.filter(({ name }) => asked.includes(name))) {
    const note = (text: string): void => console.error(`${question.name}: ${text}`);
    const folder = path.join(root, question.name);
    await mkdir(folder);
    note(`${rounds} rounds`);
    try {
      const answer = await question.run({ folder, rounds, loadSeconds, note });
      comparisons.push(...answer);
      console.error(formatTable(answer));
    } catch (error) {
      allAnswered = false;
      console.error(question.name, error);
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  const machine = await describeMachine();
  console.log(`${machine}\n\n${formatTable(comparisons)}`);
  const results = path.join(import.meta.dirname, 'results');
  await mkdir(results, { recursive: true });
  const file = path.join(results, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  await writeFile(file, JSON.stringify({ machine, rounds, loadSeconds, comparisons }, undefined, 2));
  return allAnswered;
}

let parsed: Arguments;
try {
  parsed = readArguments();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
process.exit((await run(parsed)) ? 0 : 1);
