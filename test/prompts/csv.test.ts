import { describe, expect, test } from 'vitest';
import { csvRecord } from '../../src/prompts/csv.ts';

describe('a CSV record', () => {
  test.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['', ['']],
    [',', ['', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"say ""hi""",', ['say "hi"', '']],
    ['"line one\r\nline two"', ['line one\r\nline two']],
    [' a , b ', [' a ', ' b ']],
    ['""', ['']],
    ['"",""', ['', '']],
  ])('%j', (text, fields) => {
    expect(csvRecord(text)).toEqual({ fields });
  });

  test.each([
    ['"a', 'the quote in field 1 is not closed'],
    ['a,"b"c', 'text after the closing quote of field 2'],
    ['a"b', 'a quote inside the unquoted field 1'],
  ])('%j is refused', (text, cause) => {
    expect(csvRecord(text)).toMatchObject({ cause });
  });
});
