import { describe, expect, it } from 'vitest';
import { importCycles } from './import-cycles.ts';
import { parseSource, sourceFiles } from './source-tree.ts';

const cyclesOf = (texts: Readonly<Record<string, string>>): string[] =>
  importCycles(Object.entries(texts).map(([path, text]) => parseSource({ path, text })));

describe('the imports of the project', () => {
  it('form no circle: break one by moving what both files need into a third', () => {
    expect(importCycles(sourceFiles())).toEqual([]);
  });
});

describe('importCycles', () => {
  it.each([
    [
      'of two',
      { 'src/a.ts': "import './b.ts';", 'src/b.ts': "import { a } from './a.ts';" },
      ['src/a.ts -> src/b.ts -> src/a.ts'],
    ],
    [
      'of types',
      { 'a.ts': "import type { B } from './b.ts';", 'b.ts': "import type { A } from './a.ts';" },
      ['a.ts -> b.ts -> a.ts'],
    ],
    ['of one', { 'a.ts': "export * from './a.ts';" }, ['a.ts -> a.ts']],
    [
      'behind an entrance',
      { 'a.ts': "import './b.ts';", 'b.ts': "import './c.ts';", 'c.ts': "import './b.ts';" },
      ['b.ts -> c.ts -> b.ts'],
    ],
  ])('finds a circle %s', (_name, texts, cycles) => {
    expect(cyclesOf(texts)).toEqual(cycles);
  });

  it('finds none where two ways lead to one file', () => {
    const texts = {
      'a.ts': "import './b.ts';\nimport './c.ts';",
      'b.ts': "import './d.ts';",
      'c.ts': "import './d.ts';",
      'd.ts': '',
    };
    expect(cyclesOf(texts)).toEqual([]);
  });
});
