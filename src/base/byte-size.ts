const kibi = 1_024;
const kilo = 1_000;

/** Decimal units count in thousands, binary ones in 1,024s (IEC 80000-13). The largest first, as formatting wants them. */
const units: readonly (readonly [name: string, bytes: number])[] = [
  ['PiB', kibi ** 5],
  ['PB', kilo ** 5],
  ['TiB', kibi ** 4],
  ['TB', kilo ** 4],
  ['GiB', kibi ** 3],
  ['GB', kilo ** 3],
  ['MiB', kibi ** 2],
  ['MB', kilo ** 2],
  ['KiB', kibi],
  ['kB', kilo],
  ['B', 1],
];

const bytesByUnit = new Map(units.map(([name, bytes]) => [name.toLowerCase(), bytes]));

const grammar = /^(\d{1,16}(?:\.\d{1,9})?) ?([a-z]{0,3})$/i;

/**
 * Reads `10GB`, `512MiB`, `1.5 GiB`, `1048576` (bytes) as whole bytes, rounded down; units in any case.
 * `undefined` for anything else, for a bare `K`, `M`, `G` (which could mean either), and beyond 2^53.
 */
export function parseByteSize(text: string): number | undefined {
  const match = grammar.exec(text.trim());
  if (match === null) return undefined;
  const [, number = '', unit = ''] = match;
  const factor = unit === '' ? 1 : bytesByUnit.get(unit.toLowerCase());
  if (factor === undefined) return undefined;
  const bytes = Math.floor(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest spelling that reads back as exactly `bytes`, a whole number of at least 0. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return '0B';
  const [name, factor] = units.find(([, factor]) => bytes % factor === 0) ?? ['B', 1];
  return `${bytes / factor}${name}`;
}
