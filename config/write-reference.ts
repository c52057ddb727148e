import { writeFileSync } from 'node:fs';
import { editorSchema } from './editor-schema.ts';
import { configReference } from './reference.ts';

writeFileSync(new URL('reference.md', import.meta.url), configReference());
writeFileSync(new URL('edge.schema.json', import.meta.url), editorSchema());
