import type { Counter, Metrics } from '../src/base/metrics.ts';

/** What tells whether the edge helps: hits, misses, fills, corruption, storage failures. */
export class EdgeMetrics {
  readonly #metrics: Metrics;
  readonly #answers = new Map<string, Counter>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** The upstream is a configured one and `result` one of a handful: the label sets are few. */
  answered(upstream: string, result: string): void {
    const labels = `${upstream} ${result}`;
    let counter = this.#answers.get(labels);
    if (counter === undefined) {
      counter = this.#counter(
        'wherry_cache_answers_total',
        'Answers from the cache, by how they came about.',
        ['upstream', 'result'],
      ).with(upstream, result);
      this.#answers.set(labels, counter);
    }
    counter.add();
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
