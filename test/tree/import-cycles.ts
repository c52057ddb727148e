import type { SourceFile } from './source-tree.ts';

/** The imports that close a circle, type imports included: `a.ts -> b.ts -> a.ts`, each circle found once. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const importsByPath = new Map(files.map((file) => [file.path, ourImports(file)]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt !== -1) {
      cycles.push([...trail.slice(seenAt), path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    for (const next of importsByPath.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of importsByPath.keys()) visit(path, []);
  return cycles;
}

function ourImports(file: SourceFile): string[] {
  return file.imports.flatMap(({ target }) => (target.kind === 'ours' ? [target.path] : []));
}
