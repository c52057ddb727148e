import { isMet, ratios, spread, type Bar, type Comparison, type Spread } from './comparison.ts';

const columns = ['question', 'wherry', 'peer', 'of the peer', 'ratio (min/median/max)', 'bar', 'met'];

/** A table in Markdown, its columns aligned. */
export function formatTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => cells(comparison));
  const widths = columns.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map((row) => line(row))].join('\n');
}

function cells(comparison: Comparison): string[] {
  const { what, unit, ours, peer, bar } = comparison;
  const ratio = ratios(comparison);
  const met = isMet(comparison);
  return [
    what,
    `${figure(spread(ours).median)} ${unit}`,
    peer?.name ?? '',
    peer === undefined ? '' : `${figure(spread(peer.values).median)} ${unit}`,
    ratio === undefined ? figures(spread(ours)) : figures(ratio),
    bar === undefined ? '' : barText(bar, unit),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

function barText({ kind, limit }: Bar, unit: string): string {
  switch (kind) {
    case 'ratio-at-least':
      return `>= ${limit}x`;
    case 'ratio-at-most':
      return `<= ${limit}x`;
    case 'difference-at-most':
      return `<= ${limit} ${unit} more`;
    case 'at-most':
      return `<= ${limit} ${unit}`;
  }
}

function figures({ min, median, max }: Spread): string {
  return [min, median, max].map((value) => figure(value)).join(' / ');
}

/** Three significant digits. */
function figure(value: number): string {
  return value >= 1_000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
