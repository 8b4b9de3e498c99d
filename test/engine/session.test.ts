import { describe, expect, test } from 'vitest';
import { type Executor, localRunner } from '../../src/engine/block.ts';
import type { Observation, OutcomeKind } from '../../src/model/record.ts';
import { FakeClock } from '../support/fake-clock.ts';

const CELL = { target: 't', prompt: 'p', concurrency: 2, mode: 'streaming' } as const;

/** Sessions of 3 turns of 100 ms, with 50 ms between them, in 2 slots. `outcome` is that of a turn. */
function run(
  block: { requests: number; durationMs?: number },
  outcome: (session: number, turn: number) => OutcomeKind = () => 'ok',
) {
  const clock = new FakeClock();
  const drain = new AbortController();
  const never = new AbortController().signal;
  const seen: Observation[] = [];
  const open = { now: 0, most: 0 };
  const executor: Executor = {
    send: async () => {
      throw new Error('not a single request');
    },
    warm: async () => {},
    session(_, number) {
      let turn = 0;
      open.most = Math.max(open.most, ++open.now);
      return {
        thinkMs: 50,
        async send({ scheduledAt }) {
          const started = clock.now();
          await clock.sleep(100, new Promise(() => {}));
          turn += 1;
          const kind = outcome(number, turn);
          if (turn === 3 || kind !== 'ok') open.now--;
          return {
            ...{ mode: 'streaming', outcome: { kind }, reads: 1, events: 1, comments: 0, contentEvents: 1 },
            ...{ coalesced: 0, bytes: 1, gaps: [], chars: { answer: 1, thinking: 0 } },
            tokens: { output: 1, source: 'chunks' },
            marks: { scheduled: scheduledAt, started, end: clock.now() },
            turn: { session: number, turn, left: 3 - turn },
          };
        },
      };
    },
  };
  const runner = localRunner({
    clock,
    sleep: clock.sleep,
    pause: clock.sleep,
    executor,
    originAt: 0,
    signals: { drain: drain.signal, kill: never },
  });
  const done = runner.run({ round: 0, cell: 0, warmup: 0, drawn: 7, ...block }, CELL, {
    recorded: (observation) => seen.push(observation),
    warmedUp: () => {},
  });
  const turns = () => seen.map(({ turn, marks }) => `${turn?.session}.${turn?.turn}@${marks.started}`);
  return { clock, drain, seen, open, done, turns };
}

describe('a session', () => {
  test('holds its slot from its first turn to its last, think time included', async () => {
    const { clock, done, turns, open, seen } = run({ requests: 4 });
    await clock.advance(2000);
    await done;
    expect(turns()).toEqual([
      ...['7.1@0', '8.1@0', '7.2@150', '8.2@150', '7.3@300', '8.3@300'],
      ...['9.1@400', '10.1@400', '9.2@550', '10.2@550', '9.3@700', '10.3@700'],
    ]);
    expect(open.most).toBe(2);
    expect(seen.map(({ turn }) => turn?.thinkMs)).toEqual([
      ...Array(2),
      ...Array(4).fill(50),
      ...Array(2),
      ...Array(4).fill(50),
    ]);
    expect(seen.every(({ inFlight }) => inFlight !== undefined && inFlight <= 2)).toBe(true);
  });

  test('ends with a turn that fails, and the next one begins', async () => {
    const { clock, done, turns } = run({ requests: 3 }, (session, turn) =>
      session === 7 && turn === 2 ? 'timeout' : 'ok',
    );
    await clock.advance(2000);
    await done;
    expect(turns().filter((one) => one.startsWith('7'))).toEqual(['7.1@0', '7.2@150']);
    expect(turns()).toContain('9.1@250');
    expect(turns().filter((one) => one.startsWith('8'))).toHaveLength(3);
  });

  test('sends no turn after the end of the window, or after the run was stopped', async () => {
    const timed = run({ requests: 9, durationMs: 200 });
    await timed.clock.advance(2000);
    await timed.done;
    expect(timed.turns()).toEqual(['7.1@0', '8.1@0', '7.2@150', '8.2@150']);
    const stopped = run({ requests: 9 });
    await stopped.clock.advance(120);
    stopped.drain.abort();
    await stopped.clock.advance(2000);
    await stopped.done;
    expect(stopped.turns()).toEqual(['7.1@0', '8.1@0']);
  });
});
