import { describe, expect, it } from 'vitest';
import { markdownFiles, sourceFiles } from './source-tree.ts';
import { codeViolations, documentViolations } from './tidy-rules.ts';

/** Put together here, so that this file breaks no rule itself. */
const only = ['describe', 'only'].join('.');
const later = ['TO', 'DO'].join('');
const home = ['', 'home', 'me'].join('/');

describe('the files of the project', () => {
  it('keep to the rules for code', () => {
    expect(sourceFiles().flatMap((file) => codeViolations(file))).toEqual([]);
  });

  it('keep to the rules for documents', () => {
    expect(markdownFiles().flatMap((file) => documentViolations(file))).toEqual([]);
  });
});

describe('codeViolations', () => {
  it.each([
    ['config/environment.ts', 'process.env'],
    ['test/fakes/a.ts', 'process.env; setTimeout(f, 1)'],
    ['src/cli/main.ts', 'process.exit(1)'],
    ['src/base/clock.ts', 'Date.now()'],
    ['edge/main.ts', 'random: Math.random'],
    ['src/cache/a.ts', '// Date.now() is not for us\n/* nor setTimeout */'],
    ['src/cache/a.ts', 'server.setTimeout(0); new Date(nowMs); exitCode'],
    ['src/cache/commonly-used.ts', `${only}('x', f)`],
    ['src/cache/a.ts', 'x\n'.repeat(500)],
  ])('%s may hold %j', (path, text) => {
    expect(codeViolations({ path, text })).toEqual([]);
  });

  it.each([
    ['edge/a.ts', 'const x = process.env["A"];'],
    ['edge/main.ts', 'process.exit(1)'],
    ['src/cache/a.ts', 'Date.now()'],
    ['src/cache/a.ts', "import { setTimeout as delay } from 'node:timers/promises';"],
    ['src/cache/a.ts', 'globalThis.setInterval(f, 1)'],
    ['src/cache/a.ts', 'new Date()'],
    ['src/cache/a.ts', 'random = Math.random'],
    ['src/cache/a.test.ts', `${only}('x', f)`],
    ['src/cache/a.ts', `// ${later}: more`],
    ['src/cache/a.ts', `// see ${home}/x`],
    ['src/utils/a.ts', ''],
    ['src/cache/string-utils.ts', ''],
    ['src/cache/common.ts', ''],
    ['test/helpers.ts', ''],
    ['src/cache/a.ts', 'x\n'.repeat(501)],
  ])('%s may not hold %j', (path, text) => {
    expect(codeViolations({ path, text })).toHaveLength(1);
  });

  it('names file, line, finding and remedy', () => {
    expect(codeViolations({ path: 'edge/a.ts', text: '\n\nx = process.env;\n' })).toEqual([
      'edge/a.ts:3: process.env; only config/ reads the environment: take a resolved option',
    ]);
  });
});

describe('documentViolations', () => {
  it.each(['# One\n\n## Two\n', '# One\n\n```sh\n# a comment\n```\n'])('%j is well', (text) => {
    expect(documentViolations({ path: 'README.md', text })).toEqual([]);
  });

  it.each(['', '## Two\n', '# One\n\n# Two\n'])('%j is not', (text) => {
    expect(documentViolations({ path: 'README.md', text })).toHaveLength(1);
  });
});
