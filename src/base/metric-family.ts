import assert from 'node:assert';
import type { Family } from './metrics.ts';

/**
 * How many children one family may have. Label values partly come from what clients ask for, and nobody may fill the
 * memory of a node by asking; what comes later is counted together under the value `other`.
 */
const maxChildren = 1_000;

export interface FamilyEntry<Child> {
  /** In the order of the family's label names. */
  readonly labelValues: readonly string[];
  readonly child: Child;
}

/** The children of one metric by label values, kept for the life of the process. */
export class MetricFamily<Child> implements Family<Child> {
  readonly #labelCount: number;
  readonly #create: () => Child;
  readonly #entries = new Map<string, FamilyEntry<Child>>();

  constructor(labelCount: number, create: () => Child) {
    this.#labelCount = labelCount;
    this.#create = create;
    // Without labels there is exactly one child, and it is to show its zero from the start.
    if (labelCount === 0) this.with();
  }

  with(...labelValues: string[]): Child {
    assert.equal(labelValues.length, this.#labelCount, 'one value for each label');
    const known = this.#entries.get(keyOf(labelValues));
    if (known !== undefined) return known.child;
    const isFull = this.#entries.size >= maxChildren;
    return this.#entryOf(isFull ? labelValues.map(() => 'other') : labelValues).child;
  }

  entries(): Iterable<FamilyEntry<Child>> {
    return this.#entries.values();
  }

  #entryOf(labelValues: readonly string[]): FamilyEntry<Child> {
    const key = keyOf(labelValues);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = { labelValues, child: this.#create() };
    this.#entries.set(key, entry);
    return entry;
  }
}

function keyOf(labelValues: readonly string[]): string {
  return labelValues.join('\u0000');
}
