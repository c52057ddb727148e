import type { Counter, Metrics } from '../src/base/metrics.ts';

/** How many answers came about in which way: `hit`, `miss`, `collapsed`, `revalidated`, `stale`, `pass-through`. */
export type AnswerCounts = Readonly<Record<string, number>>;

interface Tally {
  readonly upstream: string;
  readonly result: string;
  readonly counter: Counter;
  count: number;
}

/** What tells whether the edge helps: hits, misses, fills, corruption, storage failures. */
export class EdgeMetrics {
  readonly #metrics: Metrics;
  readonly #answers = new Map<string, Tally>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** The upstream is a configured one and `result` one of a handful: the label sets are few. */
  answered(upstream: string, result: string): void {
    const name = `${upstream} ${result}`;
    let tally = this.#answers.get(name);
    if (tally === undefined) {
      const counter = this.#counter(
        'wherry_cache_answers_total',
        'Answers from the cache, by how they came about.',
        ['upstream', 'result'],
      ).with(upstream, result);
      tally = { upstream, result, counter, count: 0 };
      this.#answers.set(name, tally);
    }
    tally.count += 1;
    tally.counter.add();
  }

  /** Of one upstream, or of all. */
  answers(upstream: string | undefined): AnswerCounts {
    const sums: Record<string, number> = {};
    for (const tally of this.#answers.values()) {
      if (upstream !== undefined && tally.upstream !== upstream) continue;
      sums[tally.result] = (sums[tally.result] ?? 0) + tally.count;
    }
    return sums;
  }

  filled(upstream: string, bytes: number): void {
    this.#counter('wherry_fills_total', 'Blobs that were fetched, verified and stored.', ['upstream'])
      .with(upstream)
      .add();
    this.#counter('wherry_filled_bytes_total', 'Bytes of those blobs.', ['upstream'])
      .with(upstream)
      .add(bytes);
  }

  corrupt(upstream: string): void {
    this.#counter('wherry_upstream_corrupt_total', 'Blobs whose bytes did not match their digest.', [
      'upstream',
    ])
      .with(upstream)
      .add();
  }

  storageFailed(): void {
    this.#counter('wherry_storage_failures_total', 'Times the disk took no more bytes.', []).with().add();
  }

  #counter(name: string, help: string, labels: readonly string[]): ReturnType<Metrics['counter']> {
    return this.#metrics.counter({ name, help, labels });
  }
}
