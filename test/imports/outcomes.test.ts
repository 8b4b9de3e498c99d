import { expect, test } from 'vitest';
import { failureOf } from '../../src/imports/outcomes.ts';

test.each([
  ['Internal Server Error', { kind: 'http_error', status: 500 }],
  ['HTTP 503 Service Unavailable: busy', { kind: 'http_error', status: 503 }],
  ['HTTP Error 429: {}', { kind: 'rate_limited', status: 429 }],
  ['HTTPStatusError("Server error \'502 Bad Gateway\' for url")', { kind: 'http_error', status: 502 }],
  [
    'Traceback (most recent call last):\n  File "x"\nTimeoutError: 300 s',
    { kind: 'timeout', phase: 'total' },
  ],
  ['Traceback (most recent call last):\nClientConnectorError: refused', { kind: 'network' }],
  ['Never received a valid chunk to calculate TTFT.', { kind: 'empty' }],
  ['json.decoder.JSONDecodeError: Expecting value', { kind: 'malformed' }],
  ['', { kind: 'network', message: 'failed; the tool recorded no reason' }],
])('%s', (message, outcome) => {
  expect(failureOf(message)).toMatchObject(outcome);
});

test('a status that the tool records is used before the text', () => {
  expect(failureOf('HTTP 500', 404)).toMatchObject({ kind: 'http_error', status: 404 });
});

test('of a traceback only the error is kept', () => {
  expect(failureOf('Traceback (most recent call last):\n  File "/home/me/x.py"\nOSError: gone').message).toBe(
    'OSError: gone',
  );
});
