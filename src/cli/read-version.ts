import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the project's package.json, which lies above this file: how far depends on whether it was built. */
export function readVersion(): string {
  let folder = import.meta.dirname;
  while (folder !== dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const { version }: { version?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
      return typeof version === 'string' ? version : 'unknown';
    }
    folder = dirname(folder);
  }
  return 'unknown';
}
