import { describe, expect, it } from 'vitest';
import { MetricFamily } from './metric-family.ts';

const fresh = (labelCount: number) => new MetricFamily(labelCount, () => ({ value: 0 }));

describe('MetricFamily', () => {
  it('gives the same child for the same values', () => {
    const family = fresh(2);
    expect(family.with('GET', '200')).toBe(family.with('GET', '200'));
    expect(family.with('GET', '200')).not.toBe(family.with('GET2', '00'));
  });

  it('has its one child from the start when there are no labels', () => {
    expect([...fresh(0).entries()]).toEqual([{ labelValues: [], child: { value: 0 } }]);
  });

  it('counts what goes beyond its limit together', () => {
    const family = fresh(1);
    const first = family.with('0');
    for (let index = 1; index < 1_500; index += 1) family.with(String(index)).value += 1;
    expect([...family.entries()]).toHaveLength(1_001);
    expect(family.with('other').value).toBe(500);
    expect(family.with('0')).toBe(first);
  });

  it.each([[[]], [['a', 'b']]])('refuses %j where one value is due', (values) => {
    expect(() => fresh(1).with(...values)).toThrow('one value for each label');
  });
});
