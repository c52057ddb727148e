import { expect, test } from 'vitest';
import { textTable } from './text-table.ts';

test('columns are as wide as their widest cell, numbers to the right', () => {
  const table = textTable(
    [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'NOTE' }],
    [
      ['a', '1 B', ''],
      ['longer', '100 MB', 'x'],
    ],
  );
  expect(table).toBe(['NAME      SIZE  NOTE', 'a          1 B', 'longer  100 MB  x', ''].join('\n'));
});

test('what would steer a terminal is shown as a question mark', () => {
  expect(textTable([{ title: 'NAME' }], [['\u001B[2Jgone\n']])).toBe('NAME\n?[2Jgone?\n');
});
