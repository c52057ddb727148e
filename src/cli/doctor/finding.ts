/** `broken`: an edge cannot do its work so. `warning`: it can, and something is amiss. `note`: worth knowing. */
export type Severity = 'ok' | 'note' | 'warning' | 'broken';

/** What the doctor saw. */
export interface Finding {
  /** What was looked at: `disk`, `upstream ghcr.io`. */
  readonly check: string;
  readonly severity: Severity;
  readonly message: string;
  /** What to do about it, for all but `ok`. */
  readonly remedy?: string;
}

const marks: Readonly<Record<Severity, string>> = {
  ok: 'ok      ',
  note: 'note    ',
  warning: 'WARNING ',
  broken: 'BROKEN  ',
};

/** A line for each finding, its remedy below it, and how many there are of the bad ones. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, severity, message, remedy }) => [
    `${marks[severity]}${check}: ${message}`,
    ...(remedy === undefined ? [] : [`          -> ${remedy}`]),
  ]);
  const count = (wanted: Severity): number => findings.filter(({ severity }) => severity === wanted).length;
  return `${lines.join('\n')}\n\n${count('broken')} broken, ${count('warning')} to look at\n`;
}

export function isBroken(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'broken');
}
