import type { KeyPath } from './problems.ts';
import { formatKeyPath } from './problems.ts';

export type Tree = Record<string, unknown>;

/** Settings while they are gathered from several sources: the later source wins, and each value knows its source. */
export class SettingsDraft {
  readonly #tree: Tree;
  readonly #origins = new Map<string, string>();
  readonly #fileOrigin: (path: KeyPath) => string | undefined;

  /** `fileOrigin` says where the file has a key: it is asked for what no later source has set. */
  constructor(tree: Tree, fileOrigin: (path: KeyPath) => string | undefined) {
    this.#tree = tree;
    this.#fileOrigin = fileOrigin;
  }

  get tree(): Readonly<Tree> {
    return this.#tree;
  }

  /** Sections on the way that are not there are made; something else in their place is replaced. */
  set(path: KeyPath, value: unknown, origin: string): void {
    let parent: Tree | unknown[] = this.#tree;
    for (const [index, step] of path.slice(0, -1).entries()) {
      const found = child(parent, step);
      const next = isContainer(found) ? found : typeof path[index + 1] === 'number' ? [] : {};
      put(parent, step, next);
      parent = next;
    }
    const last = path.at(-1);
    if (last === undefined) return;
    put(parent, last, value);
    this.#origins.set(formatKeyPath(path), origin);
  }

  remove(path: KeyPath): void {
    const parent = this.get(path.slice(0, -1));
    const last = path.at(-1);
    if (isContainer(parent) && !Array.isArray(parent) && last !== undefined) delete parent[String(last)];
  }

  get(path: KeyPath): unknown {
    return path.reduce<unknown>(
      (value, step) => (isContainer(value) ? child(value, step) : undefined),
      this.#tree,
    );
  }

  /** The source of the value at `path`, or of what stands around it. */
  originOf(path: KeyPath): string | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const origin = this.#origins.get(formatKeyPath(path.slice(0, length)));
      if (origin !== undefined) return origin;
    }
    return this.#fileOrigin(path);
  }
}

function isContainer(value: unknown): value is Tree | unknown[] {
  return typeof value === 'object' && value !== null;
}

function child(parent: Tree | unknown[], step: string | number): unknown {
  if (Array.isArray(parent)) return typeof step === 'number' ? parent[step] : undefined;
  return Object.hasOwn(parent, step) ? parent[step] : undefined;
}

function put(parent: Tree | unknown[], step: string | number, value: unknown): void {
  if (!Array.isArray(parent)) parent[step] = value;
  else if (typeof step === 'number') parent[step] = value;
}
