import { describe, expect, it } from 'vitest';
import { layerViolations } from './layer-rules.ts';
import { parseSource, sourceFiles } from './source-tree.ts';

const check = (path: string, statement: string): string[] =>
  layerViolations([parseSource({ path, text: `${statement}\n` })]);

describe('the layers of the project', () => {
  it('import only what lies below them', () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(50);
    expect(layerViolations(files)).toEqual([]);
  });
});

describe('layerViolations', () => {
  it.each([
    ['src/oci/a.ts', "import { b } from './b.ts';"],
    ['src/base/a.ts', "import { open } from 'node:fs/promises';"],
    ['src/base/a.ts', "import { pino } from 'pino';"],
    ['src/cache/a.ts', "import type { TagStore } from '../tag/tag-store.ts';"],
    ['src/blob/disk-a.ts', "import { b } from './disk-b.ts';"],
    ['src/oci/a.test.ts', "import { it } from 'vitest';"],
    ['src/cache/a.test.ts', "import { fake } from '../../test/fakes/fake-registry.ts';"],
    ['src/cache/a.test.ts', "import { DiskBlobStore } from '../blob/disk-blob-store.ts';"],
    ['edge/main.ts', "import { DiskBlobStore } from '../src/blob/disk-blob-store.ts';"],
    ['edge/main.ts', "import { load } from '../config/load.ts';"],
    ['edge/main.ts', "import { Agent } from 'undici';"],
    ['src/cli/main.ts', "const { run } = await import('../../edge/main.ts');"],
    ['src/cli/main.ts', "import type { Running } from '../../edge/main.ts';"],
    ['src/http/a.ts', "import { createAdaptorServer } from '@hono/node-server';"],
    ['src/http/a.ts', "import { cors } from 'hono/cors';"],
    ['src/upstream/a.ts', "const { ECRClient } = await import('@aws-sdk/client-ecr');"],
    ['src/upstream/a.ts', "import type { ECRClient } from '@aws-sdk/client-ecr';"],
    ['bench/run.ts', "import { x } from '../edge/app.ts';"],
    ['src/oci/a.ts', "export const notAnImport = 'hono';"],
    ['src/oci/a.ts', "// import { x } from 'hono';"],
    ['src/oci/a.ts', "/*\nimport { x } from 'hono';\n*/"],
  ])('%s may %s', (path, statement) => {
    expect(check(path, statement)).toEqual([]);
  });

  it.each([
    ['src/oci/a.ts', "import { b } from '../base/b.ts';"],
    ['src/oci/a.ts', "import { readFile } from 'node:fs';"],
    ['src/oci/a.ts', "import { readFile } from 'fs';"],
    ['src/oci/a.ts', "import { z } from 'zod';"],
    ['src/upstream/a.ts', "import { ECRClient } from '@aws-sdk/client-ecr';"],
    ['src/cache/a.ts', "const { ECRClient } = await import('@aws-sdk/client-ecr');"],
    ['src/base/a.ts', "import type { Digest } from '../oci/digest.ts';"],
    ['src/base/a.ts', "export { parseDigest } from '../oci/digest.ts';"],
    ['src/tag/a.ts', "import { b } from '../blob/blob-store.ts';"],
    ['src/blob/a.ts', "import { b } from '../tag/tag-store.ts';"],
    ['src/cache/a.ts', "import { b } from '../http/b.ts';"],
    ['src/http/a.ts', "import { b } from '../cache/b.ts';"],
    ['src/http/a.ts', "import {\n  b,\n  type C,\n} from '../cache/b.ts';"],
    ['src/cache/a.ts', "import '../http/b.ts';"],
    ['src/cache/a.ts', "type B = import('../http/b.ts').B;"],
    ['src/cache/a.ts', "import { DiskBlobStore } from '../blob/disk-blob-store.ts';"],
    ['src/cache/a.ts', "import { fake } from '../../test/fakes/fake-registry.ts';"],
    ['src/cache/a.test.ts', "import { measure } from '../../bench/measure.ts';"],
    ['src/cache/a.ts', "import { load } from '../../config/load.ts';"],
    ['edge/a.ts', "import { load } from '../config/load.ts';"],
    ['edge/a.ts', "import { b } from '../hub/b.ts';"],
    ['edge/a.ts', "import { Agent } from 'undici';"],
    ['edge/a.ts', "import { run } from '../src/cli/main.ts';"],
    ['hub/a.ts', "import { b } from '../edge/b.ts';"],
    ['replication/a.ts', "import { b } from '../src/http/b.ts';"],
    ['config/a.ts', "import { b } from '../src/cache/b.ts';"],
    ['src/cli/main.ts', "import { run } from '../../edge/main.ts';"],
    ['src/cli/main.ts', "await import('../../edge/app.ts');"],
    ['src/new/a.ts', "import { b } from './b.ts';"],
  ])('%s may not %s', (path, statement) => {
    expect(check(path, statement)).toHaveLength(1);
  });

  it('names file, line and remedy', () => {
    expect(check('src/oci/a.ts', "\n\nimport { z } from 'zod';")).toEqual([
      'src/oci/a.ts:3: imports zod; src/oci may use no package: hide it behind a port of a layer that may use it',
    ]);
  });
});
