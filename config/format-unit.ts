const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** The shortest text that reads back as the same duration. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const unit = durationUnits.find(([, unitMs]) => durationMs % unitMs === 0);
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`;
}

const byteUnits = [
  ['TiB', 1024 ** 4],
  ['TB', 1000 ** 4],
  ['GiB', 1024 ** 3],
  ['GB', 1000 ** 3],
  ['MiB', 1024 ** 2],
  ['MB', 1000 ** 2],
  ['KiB', 1024],
  ['KB', 1000],
] as const;

/** The shortest text that reads back as the same size. */
export function formatByteSize(sizeBytes: number): string {
  const unit = sizeBytes === 0 ? undefined : byteUnits.find(([, unitBytes]) => sizeBytes % unitBytes === 0);
  return unit === undefined ? String(sizeBytes) : `${sizeBytes / unit[1]}${unit[0]}`;
}
