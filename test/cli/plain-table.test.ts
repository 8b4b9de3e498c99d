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

test('where the last alone would be too narrow, the widest are wrapped, and no word is cut', () => {
  const rows = [
    ['total', 'from the request to the end of the stream', 'what a reader of all of it waits for'],
    ['x', 'https://a-long-word.example.com', 'short'],
  ];
  expect(plainTable(['metric', 'formula', 'note'], rows, 60)).toBe(
    [
      'metric  formula                          note',
      'total   from the request to the end of   what a reader of',
      '        the stream                       all of it waits for',
      'x       https://a-long-word.example.com  short',
      '',
    ].join('\n'),
  );
});
