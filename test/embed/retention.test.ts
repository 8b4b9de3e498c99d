import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { measuredFetch } from '../../src/embed/measured-fetch.ts';
import type { MeasuredObservation } from '../../src/embed/observing.ts';
import { chatChunk } from '../support/raw-server.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const EVENTS = [chatChunk({ content: 'Hello' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'].join('');

/**
 * Collects garbage until `isDone`. What `deref` has returned is kept until the end of the turn, so garbage is collected in
 * another one.
 */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !isDone(); i++) {
    await new Promise(setImmediate);
    collect();
    await new Promise(setImmediate);
  }
}

function setUp() {
  const seen: MeasuredObservation[] = [];
  const refs: WeakRef<object>[] = [];
  const fetch = measuredFetch(
    async () => {
      const response = new Response(EVENTS, { headers: { 'content-type': 'text/event-stream' } });
      refs.push(new WeakRef(response), new WeakRef(response.body!));
      return response;
    },
    { onObservation: (one) => seen.push(one) },
  );
  return { seen, refs, fetch };
}

test('a response that was read is not retained, nor is one with a signal that lives on', async () => {
  const { seen, refs, fetch } = setUp();
  const { signal } = new AbortController();
  await (async () => {
    for (let i = 0; i < 20; i++)
      await (await fetch('http://127.0.0.1/v1/chat/completions', { signal })).text();
  })();
  await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(seen.map(({ outcome }) => outcome.kind)).toEqual(Array.from({ length: 20 }, () => 'ok'));
});

test('a response that is dropped unread is observed when it is collected', async () => {
  const { seen, refs, fetch } = setUp();
  await (async () => {
    await fetch('http://127.0.0.1/v1/chat/completions');
    const half = await fetch('http://127.0.0.1/v1/chat/completions');
    half.body!.getReader();
  })();
  await collectUntil(() => seen.length === 2);
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(seen.map(({ outcome }) => outcome)).toEqual([
    { kind: 'cancelled', message: 'the body was not read to its end' },
    { kind: 'cancelled', message: 'the body was not read to its end' },
  ]);
});
