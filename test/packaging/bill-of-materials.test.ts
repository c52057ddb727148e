import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readProjectFile, type Manifest } from '../../deploy/release/production-lock.ts';
import { npm, projectRoot } from './project.ts';

/** What is looked at here of a CycloneDX document (cyclonedx.org/docs/1.5/json). */
interface BillOfMaterials {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses?: readonly object[];
  }[];
}

const file = path.join(projectRoot, 'build/wherry.cdx.json');
let bill: BillOfMaterials;
let manifest: Manifest;

beforeAll(async () => {
  await rm(file, { force: true });
  await npm(['run', 'sbom']);
  bill = JSON.parse(await readFile(file, 'utf8'));
  manifest = await readProjectFile<Manifest>('package.json');
});

test('is about this release', () => {
  const { name, version } = manifest;
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    metadata: { component: { name, version } },
  });
});

test('lists what the release depends on, with the pinned versions, on every platform', () => {
  const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
  const direct = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const wanted = Object.entries(direct).map(([name, version]) => `${name}@${version}`);
  expect(wanted.filter((entry) => !listed.includes(entry))).toEqual([]);
});

test('lists nothing that only development needs', () => {
  const names = new Set(bill.components.map(({ name }) => name));
  const development = Object.keys(manifest.devDependencies ?? {});
  expect(development.filter((name) => names.has(name))).toEqual([]);
});

test('names a package URL and a license for each', () => {
  const poor = bill.components.filter(
    ({ purl, licenses = [] }) => !purl.startsWith('pkg:npm/') || licenses.length === 0,
  );
  expect(poor.map(({ name }) => name)).toEqual([]);
});
