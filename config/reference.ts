import { edgeSchema } from './edge-schema.ts';
import { describe, listItem, scalarFields, sectionShape } from './schema-walk.ts';
import { configVariable, upstreamsVariable } from './sources.ts';
import { upstreamVariableSuffixes } from './upstream-environment.ts';
import { wellKnownUpstreams } from './well-known-upstreams.ts';

type Schema = Parameters<typeof describe>[0];

/** The reference of everything that an edge can be told, as Markdown, made from the schema. */
export function configReference(): string {
  const variables = new Map(scalarFields(edgeSchema).map(({ path, env }) => [path.join('.'), env]));
  const sections = sectionLists(edgeSchema, '', variables);
  return `${[introduction(), ...sections, upstreamVariables()].join('\n\n')}\n`;
}

function introduction(): string {
  return `# Configuration of an edge

Made from the schema by \`npm run docs\`; do not edit.

Flags win over environment variables, those over the YAML file, that over the defaults. The file is named by
\`--config\` or \`${configVariable}\`; two whole ones are in [examples/](examples/). \`wherry check-config\` shows what comes
out, or everything that is wrong. An edge reads its configuration when it starts: restart it after a change.

- Durations have a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\`. Sizes too: \`512MiB\`, \`20GB\`; a bare number means bytes.
- Relative paths start at the working directory.
- An empty variable, and a key with nothing after it, count as not set. Keys that are not listed here are errors.
- Every secret has three forms: itself (\`password\`), a file that holds it (\`passwordFile\`), an environment variable that holds it (\`passwordEnv\`).
- Without upstreams, these are mirrored: ${wellKnownUpstreams.join(', ')}.`;
}

/** The keys of the section and, after them, those of the sections and lists in it. */
function sectionLists(
  schema: Schema,
  path: string,
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  const shape = [...(sectionShape(schema) ?? [])];
  const entries = shape.map(([key, field]) => entry(key, field, variables.get(join(path, key))));
  const heading = path === '' ? '## Top level' : `## \`${path}\``;
  const own = [heading, describe(schema).docs.doc, entries.join('\n')].join('\n\n');
  const inner = shape.flatMap(([key, field]) => {
    const item = listItem(field) ?? field;
    const inside = listItem(field) === undefined ? join(path, key) : `${join(path, key)}[]`;
    return sectionShape(item) === undefined ? [] : sectionLists(item, inside, variables);
  });
  return [own, ...inner];
}

/** `- **listen** (default `127.0.0.1:5000`, variable `WHERRY_LISTEN`): what it means. Expects what.` */
function entry(key: string, field: Schema, variable: string | undefined): string {
  const { docs, written } = describe(field);
  const item = listItem(field);
  const facts = [defaultText(written), variable === undefined ? undefined : `variable \`${variable}\``];
  const known = facts.filter((fact) => fact !== undefined).join(', ');
  const nested = sectionShape(item ?? field) !== undefined;
  const expected = `${item === undefined ? '' : 'a list, each '}${describe(item ?? field).docs.expected ?? ''}`;
  return `- **${key}** (${known}): ${docs.doc}${nested ? '' : ` Expects ${expected}.`}`;
}

function defaultText(written: ReturnType<typeof describe>['written']): string {
  if (written === 'required') return 'required';
  if (written === 'optional') return 'not set';
  const value = written.default;
  if (Array.isArray(value)) return 'default: none';
  return typeof value === 'object' ? 'section' : `default \`${JSON.stringify(value).replaceAll('"', '')}\``;
}

function upstreamVariables(): string {
  const rows = Object.entries(upstreamVariableSuffixes).map(
    ([suffix, keys]) =>
      `- \`WHERRY_UPSTREAM_<NAME>${suffix}\` sets \`${keys.filter((key) => typeof key === 'string').join('[0].')}\`.`,
  );
  return `## Variables for upstreams

\`${upstreamsVariable}\` lists upstreams as \`NAME=URL\` or \`NAME\`, with commas between; like \`--upstream\` it takes the
place of the whole list in the file, so that no credential goes to an address that it was not written for.

In the others \`<NAME>\` is the upstream's name in upper case with \`_\` for every other character: \`DOCKER_IO\`. They
apply to the upstreams of every source and win over the file.

${rows.join('\n')}`;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
