import { posix } from 'node:path';
import { isTest, type ImportedModule, type SourceFile } from './source-tree.ts';

interface Layer {
  /** Folders that it may import from besides its own. */
  readonly ours: readonly string[];
  readonly npm: readonly string[] | 'any';
  /** Whether Node's own modules are allowed. */
  readonly node: boolean;
}

const lowest = ['src/oci', 'src/base'];
const cacheParts = [...lowest, 'src/blob', 'src/tag', 'src/upstream', 'src/auth', 'src/protocol'];
const shared = [...cacheParts, 'src/cache', 'src/http'];

/** The vendors' own libraries for signing in to their registries. */
const cloudPackages = [
  '@aws-sdk/client-ecr',
  '@aws-sdk/client-ecr-public',
  '@aws-sdk/credential-providers',
  '@azure/identity',
  'google-auth-library',
];

/** Who may import whom: the table of ARCHITECTURE.md, and the packages that each layer is built on. */
const layers: Readonly<Record<string, Layer>> = {
  'src/oci': { ours: [], npm: [], node: false },
  'src/base': { ours: [], npm: ['p-queue', 'pino', 'prom-client', 'lru-cache'], node: true },
  'src/blob': { ours: lowest, npm: ['lru-cache'], node: true },
  'src/tag': { ours: lowest, npm: ['lru-cache'], node: true },
  'src/upstream': {
    ours: lowest,
    npm: ['undici', 'tldts', 'lru-cache', 'zod', ...cloudPackages],
    node: true,
  },
  'src/auth': { ours: lowest, npm: ['jose'], node: true },
  'src/protocol': { ours: lowest, npm: ['undici', 'zod'], node: true },
  'src/cache': { ours: cacheParts, npm: ['lru-cache'], node: true },
  'src/http': { ours: [...lowest, 'src/blob', 'src/auth'], npm: ['hono', '@hono/node-server'], node: true },
  'src/cli': { ours: [...shared, 'config'], npm: ['commander'], node: true },
  replication: {
    ours: [...lowest, 'src/blob', 'src/tag', 'src/upstream', 'src/protocol', 'src/cache'],
    npm: [],
    node: true,
  },
  edge: { ours: [...shared, 'replication'], npm: ['hono', 'zod'], node: true },
  hub: { ours: [...shared, 'replication'], npm: ['hono', 'pg', 'zod'], node: true },
  config: { ours: lowest, npm: ['zod', 'yaml'], node: true },
};

/** Tests and measurements may reach for anything; what they share lives with them. */
const outermost = ['test', 'bench'];
const testPackages = ['vitest', 'fast-check'];

const roles = ['edge', 'hub', 'replication'];
/** `http-transport` is what its name says and a port. */
const adapter = /^(?!http-transport\.)(?:disk|sqlite|http|pino|prometheus|pg|redis|s3)-/;

/** `file:line: what is wrong; what to do`, for each import that the table does not allow. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((imported) => {
      const wrong = violation(file.path, imported);
      return wrong === undefined
        ? []
        : [`${file.path}:${imported.line}: imports ${imported.specifier}; ${wrong}`];
    }),
  );
}

function violation(path: string, imported: ImportedModule): string | undefined {
  const from = layerOf(path);
  if (outermost.includes(from)) return undefined;
  const layer = layers[from];
  if (layer === undefined)
    return `${from} is no layer: move the file, or give the folder its row in the table`;
  switch (imported.target.kind) {
    case 'node':
      return layer.node || isTest(path) ? undefined : `${from} is pure: take what it gives as a parameter`;
    case 'npm':
      return packageViolation(path, layer, { ...imported, name: imported.target.name });
    case 'ours':
      return ourViolation(path, layer, imported.target.path, imported);
  }
}

function packageViolation(
  path: string,
  layer: Layer,
  { name, isDynamic, isTypeOnly }: ImportedModule & { readonly name: string },
): string | undefined {
  if (cloudPackages.includes(name) && !isDynamic && !isTypeOnly)
    return 'a cloud library is large: load it with a dynamic import where it is first used';
  if (layer.npm === 'any' || isRoot(path) || layer.npm.includes(name)) return undefined;
  if (isTest(path) && testPackages.includes(name)) return undefined;
  return `${layerOf(path)} may use ${layer.npm.join(', ') || 'no package'}: hide it behind a port of a layer that may use it`;
}

function ourViolation(
  path: string,
  layer: Layer,
  target: string,
  imported: ImportedModule,
): string | undefined {
  const [from, to] = [layerOf(path), layerOf(target)];
  if (outermost.includes(to)) {
    return isTest(path) && to === 'test'
      ? undefined
      : `nothing outside of ${to} imports it, save tests from test`;
  }
  if (from === 'src/cli' && roles.includes(to)) {
    const isStart = isRoot(target) && (imported.isDynamic || imported.isTypeOnly);
    return isStart ? undefined : 'the command line starts a role through a dynamic import of its main.ts';
  }
  if (to === 'config' && from !== 'config' && from !== 'src/cli') {
    return isRoot(path)
      ? undefined
      : 'only main.ts and worker.ts read the configuration: take a resolved option';
  }
  if (from !== to && !layer.ours.includes(to)) {
    return `${from} may import ${layer.ours.join(', ') || 'nothing'}: move what both need down, or pass it in`;
  }
  const isOutside = posix.dirname(path) !== posix.dirname(target);
  const mayNameAdapters = isRoot(path) || isTest(path) || from === 'src/cli';
  if (isOutside && adapter.test(posix.basename(target)) && !mayNameAdapters) {
    return 'only main.ts and worker.ts name a concrete adapter: depend on its port';
  }
  return undefined;
}

/** `src/oci` of `src/oci/tag.ts`, `edge` of `edge/main.ts`. */
function layerOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'src' ? `src/${second}` : first;
}

/** The composition roots. */
function isRoot(path: string): boolean {
  return /^(?:edge|hub|replication)\/main\.ts$/.test(path) || path === 'hub/worker.ts';
}
