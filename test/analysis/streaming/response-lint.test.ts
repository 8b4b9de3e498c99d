import { expect, test } from 'vitest';
import { type LintInput, lintResponse } from '../../../src/analysis/streaming/response-lint.ts';
import { record, wholeRecord } from '../../metrics/records.ts';

const GOOD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

function lint(headers: Record<string, string>, more: LintInput = {}): string[] {
  return lintResponse({ headers: { ...GOOD, ...headers }, ...more }).map(
    ({ code, severity }) => `${severity} ${code}`,
  );
}

test('a good response has no remarks', () => {
  expect(lintResponse(record({ status: 200, headers: GOOD }))).toEqual([]);
  expect(lint({}, { terminated: true, eventsAfterTerminator: 0, dataOddities: [] })).toEqual([]);
});

test('a whole answer and a refusal are not linted', () => {
  expect(lintResponse(wholeRecord({ status: 200, headers: {} }))).toEqual([]);
  expect(lintResponse(record({ status: 500, headers: {} }))).toEqual([]);
});

test.each([
  [{ 'content-type': 'text/plain' }, ['error content-type']],
  [{ 'content-type': 'application/json' }, ['error content-type']],
  [{ 'content-type': 'text/event-stream;charset=gbk' }, ['warning charset']],
  [{ 'content-type': 'text/event-stream; charset=UTF8' }, []],
  [{ 'content-type': 'text/event-stream; charset = "utf-8"' }, []],
  [{ 'content-type': 'text/event-stream; charset=utf-80' }, ['warning charset']],
  [{ 'content-type': 'text/event-stream; charset=x-utf-8' }, ['warning charset']],
  [{ 'content-type': ' Text/Event-Stream ;charset=utf-8' }, []],
  [{ 'content-type': 'application/x-ndjson' }, []],
  [{ 'content-length': '4711' }, ['warning content-length']],
  [{ 'content-encoding': 'gzip' }, ['warning content-encoding']],
  [{ 'content-encoding': 'identity' }, []],
  [{ 'cache-control': 'max-age=60' }, ['info cache-control']],
  [{ 'cache-control': 'no-store' }, []],
  [{ 'x-accel-buffering': 'yes' }, ['info x-accel-buffering']],
  [{ 'x-accel-buffering': 'yes', server: 'nginx/1.27' }, ['warning x-accel-buffering']],
])('%j', (headers, expected) => {
  expect(lint(headers as Record<string, string>)).toEqual(expected);
});

test('headers that are missing are told apart from headers that are unknown', () => {
  const codes = (input: LintInput) => lintResponse(input).map(({ code }) => code);
  expect(codes({ headers: {} })).toEqual(['content-type', 'cache-control', 'x-accel-buffering']);
  expect(codes({})).toEqual([]);
});

test('the framing of the dialect decides which content type is right', () => {
  expect(lint({ 'content-type': 'application/x-ndjson' }, { framing: 'sse' })).toEqual([
    'error content-type',
  ]);
  expect(lint({ 'content-type': 'text/event-stream' }, { framing: 'ndjson' })).toEqual(['info content-type']);
  expect(lint({ 'content-type': 'text/plain' }, { framing: 'raw' })).toEqual([]);
});

test('the end of the stream is looked at', () => {
  expect(lint({}, { outcome: { kind: 'truncated' } })).toEqual(['error terminator']);
  expect(lint({}, { terminated: false })).toEqual(['warning terminator']);
  const cut = lintResponse({ outcome: { kind: 'truncated' }, finish: { reason: 'stop' } });
  expect(cut[0]?.what).toBe('the body was cut after the finish reason, before the terminator');
  expect(lint({}, { eventsAfterTerminator: 2, dataOddities: ['no space after "data:"'] })).toEqual([
    'warning after-terminator',
    'warning data-format',
  ]);
});

test('only answers of status 200 to 299 are linted', () => {
  const linted = [199, 200, 299, 300].map((status) => lintResponse({ status, headers: {} }).length > 0);
  expect(linted).toEqual([false, true, true, false]);
});

test('what a remark names is what was sent', () => {
  const texts = (input: LintInput) => lintResponse(input).map(({ what, remedy }) => `${what} | ${remedy}`);
  expect(texts({ headers: {} }).map((text) => text.split(' | ')[0])).toEqual([
    ...['no content-type', 'no cache-control', 'no x-accel-buffering'],
  ]);
  expect(
    texts({
      headers: {
        ...{ 'content-type': 'text/plain', 'cache-control': 'public', 'x-accel-buffering': 'yes' },
        'content-encoding': 'br',
      },
      framing: 'ndjson',
    }),
  ).toEqual([
    expect.stringMatching(/^content-encoding: br \| exclude application\/x-ndjson from compression$/),
    expect.stringMatching(/^content-type: text\/plain \| send content-type: application\/x-ndjson$/),
    expect.stringMatching(/^cache-control: public \|/),
    expect.stringMatching(/^x-accel-buffering: yes \|/),
  ]);
  // A framing without a content type of its own.
  expect(texts({ headers: { ...GOOD, 'content-encoding': 'br' }, framing: 'raw' })).toEqual([
    'content-encoding: br | exclude streams from compression',
  ]);
  const whats = (input: LintInput) => lintResponse(input).map(({ what }) => what);
  expect(whats({ eventsAfterTerminator: 1 })).toEqual(['1 event after the terminator']);
  expect(whats({ eventsAfterTerminator: 2 })).toEqual(['2 events after the terminator']);
  expect(whats({ terminated: false })).toEqual(['no terminator']);
  expect(whats({ outcome: { kind: 'truncated' } })).toEqual([
    'the body ended with neither terminator nor finish reason',
  ]);
});

test('nginx is found by the Via header too', () => {
  expect(lint({ 'x-accel-buffering': 'yes', via: '1.1 OpenResty' })).toEqual(['warning x-accel-buffering']);
});

test('every remark says what, why and what to do, gravest first', () => {
  const findings = lintResponse({
    headers: { 'content-type': 'text/html', 'content-length': '5', server: 'nginx' },
    outcome: { kind: 'truncated' },
  });
  expect(findings.map(({ severity }) => severity)).toEqual(['error', 'error', 'warning', 'warning', 'info']);
  for (const { what, why, remedy } of findings)
    expect([what, why, remedy].every((text) => text.length > 5)).toBe(true);
});
