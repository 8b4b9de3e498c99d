import { expect, test } from 'vitest';
import { ReplayBuffer, readEventId } from '../../../src/service/stream/replay-buffer.ts';

const ids = (sse: string | undefined) => sse?.match(/(?<=^id: msg_1\.)\d+/gm)?.map(Number) ?? sse;

test('frames are numbered from 1, and those after a number are returned', () => {
  const buffer = new ReplayBuffer('msg_1', 1_000);
  expect(buffer.encode({ data: 'a' })).toBe('id: msg_1.1\ndata: a\n\n');
  buffer.encode({ data: 'b' });
  expect(ids(buffer.after(0))).toEqual([1, 2]);
  expect(ids(buffer.after(1))).toEqual([2]);
  expect(buffer.after(2)).toBe('');
  expect(buffer.after(3)).toBeUndefined();
});

test('the oldest frames are dropped over the limit; a gap is never hidden', () => {
  const buffer = new ReplayBuffer('msg_1', 100);
  for (let i = 0; i < 20; i++) buffer.encode({ data: 'x'.repeat(30) });
  expect(buffer.full).toBe(true);
  expect(ids(buffer.after(0))).toHaveLength(20);
  buffer.trim();
  expect(buffer.bytes).toBeLessThanOrEqual(100);
  expect(buffer.full).toBe(false);
  expect(buffer.after(0)).toBeUndefined();
  expect(ids(buffer.after(19))).toEqual([20]);
});

test('a Last-Event-ID that is none is not read', () => {
  expect(readEventId('msg_1a-b.17')).toEqual({ streamId: 'msg_1a-b', number: 17 });
  for (const text of [
    '',
    '17',
    'msg_1',
    'msg_1.',
    'msg_1.-1',
    'msg_1.x',
    'msg_.1',
    `msg_1.${'9'.repeat(20)}`,
  ]) {
    expect(readEventId(text)).toBeUndefined();
  }
});
