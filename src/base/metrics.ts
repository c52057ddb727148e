/** Metrics port. Names follow Prometheus: base units, `_total` for counters, `wherry_` in front. */
export interface Metrics {
  counter(spec: MetricSpec): Family<Counter>;
  gauge(spec: MetricSpec): Family<Gauge>;
  histogram(spec: HistogramSpec): Family<Histogram>;
}

export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface HistogramSpec extends MetricSpec {
  readonly buckets: readonly number[];
}

/** One metric; `with` gives the child of these label values, in the order of `labels`: keep it where the path is hot. */
export interface Family<Child> {
  with(...labelValues: string[]): Child;
}

export interface Counter {
  add(amount?: number): void;
}

export interface Gauge {
  set(value: number): void;
  add(amount: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

const deaf = { add: () => undefined, set: () => undefined, observe: () => undefined };
const deafFamily = { with: () => deaf };

/** For tests and tools that measure nothing. */
export const noMetrics: Metrics = {
  counter: () => deafFamily,
  gauge: () => deafFamily,
  histogram: () => deafFamily,
};
