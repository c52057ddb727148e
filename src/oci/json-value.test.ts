import { describe, expect, it } from 'vitest';
import { field, nestsDeeperThan, textField, textMapField } from './json-value.ts';

describe('fields of unknown JSON', () => {
  it('are own fields of objects only', () => {
    expect(field({ a: 1 }, 'a')).toBe(1);
    for (const json of [undefined, null, 'text', [1], {}]) expect(field(json, 'length')).toBeUndefined();
    expect(field({}, 'constructor')).toBeUndefined();
  });

  it('are text where text is asked for', () => {
    expect([textField({ a: 'x' }, 'a'), textField({ a: '' }, 'a'), textField({ a: 1 }, 'a')]).toEqual([
      'x',
      undefined,
      undefined,
    ]);
  });

  it('keep odd names without touching prototypes', () => {
    const map = textMapField(JSON.parse('{"a":{"__proto__":"x","b":"y","c":1}}'), 'a');
    expect(Object.entries(map ?? {})).toEqual([
      ['__proto__', 'x'],
      ['b', 'y'],
    ]);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(textMapField({ a: ['x'] }, 'a')).toBeUndefined();
  });
});

describe('nestsDeeperThan 2', () => {
  it.each([
    ['[[]]', false],
    ['[[[]]]', true],
    ['{"a":{"b":[]}}', true],
    ['[[],[],[]]', false],
    ['["[[[[", {"]": "{{{"}]', false],
    ['["\\"[[[[", [1]]', false],
    ['["\\\\", [[1]]]', true],
    ['', false],
  ])('%s: %s', (json, expected) => {
    expect(nestsDeeperThan(new TextEncoder().encode(json), 2)).toBe(expected);
  });
});
