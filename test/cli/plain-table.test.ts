import { expect, test } from 'vitest';
import { plainTable } from '../../src/cli/plain-table.ts';

test('columns are aligned, and the last is wrapped below itself', () => {
  const rows = [
    ['ttfb', 'ms', 'headers - sent'],
    ['chunk_rate', '1/s', 'content events over the time between the first and the last'],
  ];
  expect(plainTable(['metric', 'unit', 'formula'], rows, 45)).toBe(
    [
      'metric      unit  formula',
      'ttfb        ms    headers - sent',
      'chunk_rate  1/s   content events over the',
      '                  time between the first and',
      '                  the last',
      '',
    ].join('\n'),
  );
});
