import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/** The version in the project's package.json, which is embedded in a single-file executable and lies above this file else. */
export function readVersion(): string {
  const text = isSea() ? getAsset('package.json', 'utf8') : packageFileAbove(import.meta.dirname);
  if (text === undefined) return 'unknown';
  const { version }: { version?: unknown } = JSON.parse(text);
  return typeof version === 'string' ? version : 'unknown';
}

/** How far above depends on whether the program was built. */
function packageFileAbove(start: string): string | undefined {
  let folder = start;
  while (folder !== dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return readFileSync(file, 'utf8');
    folder = dirname(folder);
  }
  return undefined;
}
