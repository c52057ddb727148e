import { writeFileSync } from 'node:fs';
import { configReference } from './reference.ts';

writeFileSync(new URL('reference.md', import.meta.url), configReference());
