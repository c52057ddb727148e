import { posix } from 'node:path';
import { isTest, lineAt, withoutComments, type ProjectFile } from './source-tree.ts';

const maxLines = 500;

interface TextRule {
  readonly pattern: RegExp;
  readonly remedy: string;
  /** Whether the rule holds for this file. */
  readonly appliesTo: (path: string) => boolean;
}

const isOutermost = (path: string): boolean => /^(?:test|bench)\//.test(path) || isTest(path);
const isRoot = (path: string): boolean => /^(?:edge|hub|replication)\/(?:main|worker)\.ts$/.test(path);

/** Looked for in code, comments left aside. */
const codeRules: readonly TextRule[] = [
  {
    pattern: /\bprocess\.env\b/g,
    remedy: 'only config/ reads the environment: take a resolved option',
    appliesTo: (path) => !path.startsWith('config/') && !isOutermost(path),
  },
  {
    pattern: /\bprocess\.exit\(/g,
    remedy: 'only src/cli/main.ts ends the process: throw, or return an exit code',
    appliesTo: (path) => path !== 'src/cli/main.ts' && !isOutermost(path),
  },
  {
    pattern:
      /\bDate\.now\b|\bnew Date\(\)|(?<![.\w])(?:globalThis\.)?set(?:Timeout|Interval)\b|\bMath\.random\b/g,
    remedy: 'time and chance are passed in: take a Clock, or a `random` function',
    appliesTo: (path) => !path.startsWith('src/base/') && !isRoot(path) && !isOutermost(path),
  },
  {
    pattern: /\b(?:it|test|describe|suite)\.only\b/g,
    remedy: 'it keeps the other tests from running: remove it',
    appliesTo: isTest,
  },
];

/** Looked for everywhere, comments and documents included. */
const textRules: readonly TextRule[] = [
  {
    pattern: /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/g,
    remedy: 'do it, or say in the documentation what is not there',
    appliesTo: () => true,
  },
  {
    pattern: /(?<![\w.])\/(?:work\/(?:main|shared)|home\/\w|Users\/\w)/g,
    remedy: 'a folder of one machine means nothing on another: name it relative to the project',
    appliesTo: () => true,
  },
];

const homelessPart = /^(?:utils?|helpers?|misc)$/;
const homelessName = /^(?:common|tools)$/;

/** `file:line: what was found; what to do` for source files. */
export function codeViolations(file: ProjectFile): string[] {
  const lines = file.text.split('\n').length - 1;
  const isLong = lines > maxLines;
  return [
    ...(isLong
      ? [`${file.path}:${maxLines}: has ${lines} lines; split it by concept, ${maxLines} are the limit`]
      : []),
    ...nameViolations(file.path),
    ...matches({ ...file, text: withoutComments(file.text) }, codeRules),
    ...matches(file, textRules),
  ];
}

/** The same for Markdown. */
export function documentViolations(file: ProjectFile): string[] {
  return [...headingViolations(file), ...matches(file, textRules)];
}

function nameViolations(path: string): string[] {
  const names = path.split('/').map((name) => name.replace(/\..*$/, ''));
  const homeless = names.find(
    (name) => homelessName.test(name) || name.split('-').some((part) => homelessPart.test(part)),
  );
  return homeless === undefined
    ? []
    : [`${path}:1: is called ${homeless}; name ${posix.extname(path)} files after what they hold`];
}

function headingViolations(file: ProjectFile): string[] {
  // What stands in a fence is an example; lines are kept, so that numbers stay right.
  const prose = file.text.replaceAll(/^(?<fence>`{3,}|~{3,})[\s\S]*?^\k<fence>/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  );
  const titles = [...prose.matchAll(/^# /gm)];
  if (titles.length === 1) return [];
  const at = titles[1]?.index ?? 0;
  return [
    `${file.path}:${lineAt(prose, at)}: has ${titles.length} titles; a document has one line that starts with "# "`,
  ];
}

function matches(file: ProjectFile, rules: readonly TextRule[]): string[] {
  return rules
    .filter((rule) => rule.appliesTo(file.path))
    .flatMap((rule) =>
      [...file.text.matchAll(rule.pattern)].map(
        (match) => `${file.path}:${lineAt(file.text, match.index)}: ${match[0]}; ${rule.remedy}`,
      ),
    );
}
