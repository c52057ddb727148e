import { beforeEach, describe, expect, it } from 'vitest';
import { createPrometheusMetrics, type PrometheusMetrics } from './prometheus-metrics.ts';

let metrics: PrometheusMetrics;
beforeEach(() => {
  metrics = createPrometheusMetrics();
});

const linesOf = async (name: string): Promise<string[]> => {
  const lines = (await metrics.text()).split('\n');
  return lines.filter((line) => line.includes(name));
};

describe('createPrometheusMetrics', () => {
  it('shows counters, the same numbers however often it is asked', async () => {
    const requests = metrics.counter({
      name: 'wherry_requests_total',
      help: 'Requests.',
      labels: ['method', 'code'],
    });
    requests.with('GET', '200').add();
    requests.with('GET', '200').add(2);
    requests.with('HEAD', '404').add();
    const expected = [
      '# HELP wherry_requests_total Requests.',
      '# TYPE wherry_requests_total counter',
      'wherry_requests_total{method="GET",code="200"} 3',
      'wherry_requests_total{method="HEAD",code="404"} 1',
    ];
    expect(await linesOf('wherry_requests_total')).toEqual(expected);
    expect(await linesOf('wherry_requests_total')).toEqual(expected);
  });

  it('shows gauges', async () => {
    const fills = metrics
      .gauge({ name: 'wherry_fills', help: 'Fills.', labels: ['upstream'] })
      .with('docker.io');
    fills.set(7);
    fills.add(-3);
    expect(await linesOf('wherry_fills{')).toEqual(['wherry_fills{upstream="docker.io"} 4']);
  });

  it('shows histograms as cumulative buckets', async () => {
    const spec = { name: 'wherry_wait_seconds', help: 'Wait.', labels: ['kind'], buckets: [0.1, 1] };
    const waits = metrics.histogram(spec).with('tag');
    for (const seconds of [0.05, 0.1, 0.5, 3]) waits.observe(seconds);
    expect(await linesOf('wherry_wait_seconds')).toEqual([
      '# HELP wherry_wait_seconds Wait.',
      '# TYPE wherry_wait_seconds histogram',
      'wherry_wait_seconds_bucket{kind="tag",le="0.1"} 2',
      'wherry_wait_seconds_bucket{kind="tag",le="1"} 3',
      'wherry_wait_seconds_bucket{kind="tag",le="+Inf"} 4',
      'wherry_wait_seconds_sum{kind="tag"} 3.65',
      'wherry_wait_seconds_count{kind="tag"} 4',
    ]);
  });

  it('shows zeros of what has no labels before anything happened', async () => {
    metrics.counter({ name: 'wherry_a_total', help: 'A.' });
    metrics.gauge({ name: 'wherry_b', help: 'B.' });
    metrics.histogram({ name: 'wherry_c', help: 'C.', buckets: [1] });
    expect(await linesOf('wherry_a_total 0')).toHaveLength(1);
    expect(await linesOf('wherry_b 0')).toHaveLength(1);
    expect(await linesOf('wherry_c')).toContain('wherry_c_count 0');
  });

  it('escapes label values', async () => {
    const spec = { name: 'wherry_odd', help: 'Odd.', labels: ['name'], buckets: [1] };
    metrics.histogram(spec).with('a"b\\c\nd').observe(2);
    expect(await linesOf('wherry_odd_count')).toEqual(['wherry_odd_count{name="a\\"b\\\\c\\nd"} 1']);
  });

  it('gives the same family for the same spec and refuses another one of that name', () => {
    const spec = { name: 'wherry_same_total', help: 'Same.', labels: ['a'] };
    expect(metrics.counter(spec)).toBe(metrics.counter({ ...spec }));
    expect(() => metrics.gauge(spec)).toThrow('two metrics are called wherry_same_total');
    expect(() => metrics.counter({ ...spec, labels: ['b'] })).toThrow('two metrics');
  });

  it('includes the process and the delay of the event loop', async () => {
    expect(await linesOf('process_resident_memory_bytes')).not.toEqual([]);
    expect(await linesOf('nodejs_eventloop_lag_p99_seconds')).not.toEqual([]);
  });

  it('refuses to let a counter shrink', () => {
    const counter = metrics.counter({ name: 'wherry_up_total', help: 'Up.' }).with();
    expect(() => counter.add(-1)).toThrow('a counter only grows');
  });

  it('keeps the metrics of two instances apart', async () => {
    metrics.counter({ name: 'wherry_mine_total', help: 'Mine.' });
    expect(await createPrometheusMetrics().text()).not.toContain('wherry_mine_total');
  });

  it('says which format it speaks', () => {
    expect(metrics.contentType).toContain('text/plain; version=0.0.4');
  });
});
