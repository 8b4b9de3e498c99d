import { expect, test } from 'vitest';
import { sniff } from '../../../src/client/outcome/sniff.ts';

test.each([
  ['data: {"a":1}\n\n', 'text/plain', 'sse'],
  [': hello\n\n', '', 'sse'],
  ['event: ping\n', '', 'sse'],
  ['{"a":1}\n{"b":2}\n', '', 'ndjson'],
  ['{\n  "a": 1\n}', '', 'json'],
  ['{"a":1}', 'text/event-stream', 'json'],
  ['[{"a":1}', '', 'json'],
  ['\uFEFF <!DOCTYPE html>', '', 'html'],
  ['<html lang="en">', '', 'html'],
  ['<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">', '', 'html'],
  ['<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', 'application/xml', 'xml'],
  ['d\u0000a\u0000t\u0000a\u0000', 'text/event-stream', 'binary'],
  ['hello', '', 'text'],
  ['  \n', '', 'nothing'],
  ['\u0000\u0000', 'application/vnd.amazon.eventstream', 'event-stream-binary'],
])('%j (%s) looks like %s', (prefix, contentType, look) => {
  expect(sniff(prefix, contentType)).toBe(look);
});
