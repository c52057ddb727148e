const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Three figures and a unit, for people: `182 GB`, `1.23 kB`. Rounded: never to be read back. */
export function readableSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}
