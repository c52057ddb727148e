import assert from 'node:assert';
import type { FamilyEntry } from './metric-family.ts';
import type { Histogram, HistogramSpec } from './metrics.ts';

/** Counts observations in plain numbers: some nanoseconds each, where prom-client's own take hundreds. */
export class PlainHistogram implements Histogram {
  /** Ascending upper bounds. */
  readonly #bounds: readonly number[];
  /** Observations by bucket, not cumulative; the last one is what exceeds all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    assert(bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound)));
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    assert(!Number.isNaN(value), 'an observation is a number');
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  /** Lines of the Prometheus text format 0.0.4, `labels` being the text between the braces. */
  *lines(name: string, labels: string): Iterable<string> {
    const comma = labels === '' ? '' : ',';
    let upToHere = 0;
    for (const [index, count] of this.#counts.entries()) {
      upToHere += count;
      const bound = this.#bounds[index] ?? '+Inf';
      yield `${name}_bucket{${labels}${comma}le="${bound}"} ${upToHere}`;
    }
    const braces = labels === '' ? '' : `{${labels}}`;
    yield `${name}_sum${braces} ${this.#sum}`;
    yield `${name}_count${braces} ${upToHere}`;
  }
}

/** A whole family in the Prometheus text format 0.0.4, with a newline at the end. */
export function formatHistograms(
  spec: HistogramSpec,
  entries: Iterable<FamilyEntry<PlainHistogram>>,
): string {
  const lines = [`# HELP ${spec.name} ${escapeHelp(spec.help)}`, `# TYPE ${spec.name} histogram`];
  for (const { labelValues, child } of entries) {
    const labels = (spec.labels ?? []).map(
      (name, index) => `${name}="${escapeValue(labelValues[index] ?? '')}"`,
    );
    lines.push(...child.lines(spec.name, labels.join(',')));
  }
  return `${lines.join('\n')}\n`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
