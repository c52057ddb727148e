/** Largest first: the order in which parts must stand. */
const units: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

const part = '\\d{1,12}(?:\\.\\d{1,6})?';
const grammar = new RegExp(`^${units.map(([name]) => `(?:(${part})${name})?`).join('')}$`);

/**
 * Reads `60s`, `7d`, `1h30m`, `1.5h`, `250ms`, `0s` as whole milliseconds, rounded. Units d, h, m, s, ms, each at most
 * once, the larger before the smaller. `undefined` for anything else: a bare number too, except `0`, since nobody can
 * tell which unit it means.
 */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  const match = trimmed === '' ? null : grammar.exec(trimmed);
  if (match === null) return undefined;
  const totalMs = units.reduce((sum, [, ms], index) => sum + Number(match[index + 1] ?? 0) * ms, 0);
  const roundedMs = Math.round(totalMs);
  return Number.isSafeInteger(roundedMs) ? roundedMs : undefined;
}

/** `durationMs`, a whole number of at least 0, in a form that reads back as the same: `1h30m`, `7d`, `0s`. */
export function formatDuration(durationMs: number): string {
  let leftMs = durationMs;
  let text = '';
  for (const [name, ms] of units) {
    const count = Math.floor(leftMs / ms);
    leftMs -= count * ms;
    if (count > 0) text += `${count}${name}`;
  }
  return text === '' ? '0s' : text;
}
