import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface ProjectFile {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface ImportedModule {
  /** As written. */
  readonly specifier: string;
  /** Counted from 1. */
  readonly line: number;
  /** `import('...')`, at run time or in a type. */
  readonly isDynamic: boolean;
  readonly isTypeOnly: boolean;
  readonly target:
    | { readonly kind: 'ours'; readonly path: string }
    | { readonly kind: 'node' }
    | { readonly kind: 'npm'; readonly name: string };
}

export interface SourceFile extends ProjectFile {
  readonly imports: readonly ImportedModule[];
}

/** Every TypeScript file of the project, in the order of their paths. */
export function sourceFiles(): SourceFile[] {
  return projectFiles('{src,edge,hub,replication,config,test,bench}/**/*.ts').map((file) =>
    parseSource(file),
  );
}

export function markdownFiles(): ProjectFile[] {
  return projectFiles('{*.md,{src,edge,hub,replication,config,test,bench,deploy}/**/*.md}');
}

export function parseSource(file: ProjectFile): SourceFile {
  return { ...file, imports: [...importsOf(file)].sort((one, other) => one.line - other.line) };
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** The text with comments blanked out, line for line. Formatted code has white space in front of each comment. */
export function withoutComments(text: string): string {
  const blank = (comment: string): string => comment.replaceAll(/[^\n]/g, ' ');
  return text.replaceAll(/(?<=^|\s)\/\*[\s\S]*?\*\//g, blank).replaceAll(/(?<=^|\s)\/\/[^\n]*/g, blank);
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function projectFiles(pattern: string): ProjectFile[] {
  const exclude = ['**/node_modules/**', 'data/**', 'dist/**'];
  const paths = globSync(pattern, { cwd: root, exclude }).map((path) => path.replaceAll('\\', '/'));
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const statement = /^(?:import|export)\b(?<clause>[^'";]*?)(?:\bfrom\s+)?'(?<specifier>[^'\n]+)'/gm;
const dynamic = /\bimport\(\s*['"](?<specifier>[^'"\n]+)['"]/g;

function* importsOf(file: ProjectFile): Iterable<ImportedModule> {
  const code = withoutComments(file.text);
  for (const match of code.matchAll(statement)) {
    const { clause = '', specifier = '' } = match.groups ?? {};
    // `export const x = '...'` has no `from`; a bare `import '...'` has no clause.
    if (clause.trim() !== '' && !/\bfrom\s+'[^']+'$/.test(match[0])) continue;
    const isTypeOnly = /^\s+type\b/.test(clause);
    yield {
      specifier,
      line: lineAt(code, match.index),
      isDynamic: false,
      isTypeOnly,
      target: targetOf(file, specifier),
    };
  }
  for (const match of code.matchAll(dynamic)) {
    const specifier = match.groups?.['specifier'] ?? '';
    yield {
      specifier,
      line: lineAt(code, match.index),
      isDynamic: true,
      isTypeOnly: false,
      target: targetOf(file, specifier),
    };
  }
}

function targetOf(file: ProjectFile, specifier: string): ImportedModule['target'] {
  if (specifier.startsWith('.')) {
    return { kind: 'ours', path: posix.join(posix.dirname(file.path), specifier) };
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return { kind: 'node' };
  const parts = specifier.split('/');
  return { kind: 'npm', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}
