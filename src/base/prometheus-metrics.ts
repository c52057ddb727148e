import assert from 'node:assert';
import { collectDefaultMetrics, Counter as PromCounter, Gauge as PromGauge, Registry } from 'prom-client';
import { MetricFamily, type FamilyEntry } from './metric-family.ts';
import type { Counter, Family, Gauge, Histogram, HistogramSpec, Metrics, MetricSpec } from './metrics.ts';
import { formatHistograms, PlainHistogram } from './plain-histogram.ts';

export interface PrometheusMetrics extends Metrics {
  /** Everything measured, in the text format that `contentType` names. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * Metrics for Prometheus, those of the process and its event loop included. The children count in plain fields and
 * hand their numbers over when they are asked for, so that counting costs next to nothing. A name asked for again with
 * the same spec gives the same family.
 */
export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return new RegistryMetrics(registry);
}

class CountedNumber implements Counter {
  value = 0;

  add(amount = 1): void {
    assert(amount >= 0, 'a counter only grows');
    this.value += amount;
  }
}

class GaugedNumber implements Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(amount: number): void {
    this.value += amount;
  }
}

interface Known {
  /** Kind and spec as text, to compare. */
  readonly signature: string;
  readonly family: unknown;
}

class RegistryMetrics implements PrometheusMetrics {
  readonly #registry: Registry;
  readonly #known = new Map<string, Known>();
  readonly #histograms: { spec: HistogramSpec; family: MetricFamily<PlainHistogram> }[] = [];

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter(spec: MetricSpec): Family<Counter> {
    return this.#once('counter', spec, () => {
      const family = new MetricFamily(labelsOf(spec).length, () => new CountedNumber());
      const metric = new PromCounter({
        ...this.#settings(spec),
        collect: () => {
          metric.reset();
          for (const entry of family.entries()) metric.inc(labelSet(spec, entry), entry.child.value);
        },
      });
      return family;
    });
  }

  gauge(spec: MetricSpec): Family<Gauge> {
    return this.#once('gauge', spec, () => {
      const family = new MetricFamily(labelsOf(spec).length, () => new GaugedNumber());
      const metric = new PromGauge({
        ...this.#settings(spec),
        collect: () => {
          for (const entry of family.entries()) metric.set(labelSet(spec, entry), entry.child.value);
        },
      });
      return family;
    });
  }

  histogram(spec: HistogramSpec): Family<Histogram> {
    return this.#once('histogram', spec, () => {
      const family = new MetricFamily(labelsOf(spec).length, () => new PlainHistogram(spec.buckets));
      this.#histograms.push({ spec, family });
      return family;
    });
  }

  async text(): Promise<string> {
    const ours = this.#histograms.map(({ spec, family }) => formatHistograms(spec, family.entries()));
    return [await this.#registry.metrics(), ...ours].join('\n');
  }

  #once<Child>(kind: string, spec: MetricSpec, create: () => Family<Child>): Family<Child> {
    const signature = JSON.stringify([kind, spec]);
    const known = this.#known.get(spec.name);
    if (known !== undefined) {
      assert.equal(signature, known.signature, `two metrics are called ${spec.name}`);
      return known.family as Family<Child>;
    }
    const family = create();
    this.#known.set(spec.name, { signature, family });
    return family;
  }

  #settings(spec: MetricSpec): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return { name: spec.name, help: spec.help, labelNames: labelsOf(spec), registers: [this.#registry] };
  }
}

function labelsOf(spec: MetricSpec): string[] {
  return [...(spec.labels ?? [])];
}

function labelSet(spec: MetricSpec, entry: FamilyEntry<unknown>): Record<string, string> {
  return Object.fromEntries(labelsOf(spec).map((name, index) => [name, entry.labelValues[index] ?? '']));
}
