import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { type CalibrateOptions, type Calibration, calibrate } from '../../../src/bench/doctor/calibrate.ts';
import { readStamps, startCalibrationServer } from '../../../src/bench/doctor/calibrate-server.ts';
import { monotonicClock } from '../../../src/model/clock.ts';

test('the server keeps its schedule, and each event says when it was due and when it was sent', async () => {
  const before = monotonicClock.now();
  const server = await startCalibrationServer(100);
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.split('data: ').length > 12) break;
  }
  server.close();
  const events = Array.from(text.matchAll(/\r\n29\r\ndata: (.{33})\n\n/g), ([, stamps]) =>
    readStamps(stamps!),
  );
  // The sizes of the pieces are right: 41 bytes are 29 in hex.
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(events.length).toBeGreaterThan(9);
  for (const [i, { dueAt, sentAt }] of events.entries()) {
    expect(sentAt).toBeGreaterThanOrEqual(dueAt);
    expect(sentAt).toBeLessThanOrEqual(monotonicClock.now());
    expect(dueAt).toBeGreaterThan(before);
    if (i > 0) expect(dueAt - events[i - 1]!.dueAt).toBeCloseTo(10, 2);
  }
});

function check(calibration: Calibration): void {
  expect(calibration).toMatchObject({ ratePerSecond: 50, windowMs: 300, limitMs: 10, skipped: [] });
  expect(calibration.levels.map(({ streams, eventsPerSecond }) => [streams, eventsPerSecond])).toEqual([
    [2, 100],
    [4, 200],
  ]);
  for (const { streams, events, lagMs, utilization, problem } of calibration.levels) {
    expect(problem).toBeUndefined();
    // Each stream sends 15 events in the window; on a busy machine the server may skip none, but some may be late.
    expect(events).toBeGreaterThan(streams * 10);
    expect(events).toBeLessThanOrEqual(streams * 16);
    expect(lagMs!.p50).toBeGreaterThan(0);
    expect(lagMs!.p50).toBeLessThanOrEqual(lagMs!.p99);
    expect(lagMs!.p99).toBeLessThanOrEqual(lagMs!.max);
    expect(utilization).toBeGreaterThan(0);
  }
}

test('the levels are measured in turn, and told of', async () => {
  const told: number[] = [];
  check(
    await calibrate({
      levels: [2, 4],
      windowMs: 300,
      settleMs: 100,
      onLevel: (streams) => told.push(streams),
    }),
  );
  expect(told).toEqual([2, 4]);
});

test('the same against a server in a process of its own, which the built package starts', async () => {
  const built = new URL('../../../dist/bench/doctor/calibrate.js', import.meta.url).href;
  const { calibrate: calibrateBuilt } = (await import(built)) as {
    calibrate(options: CalibrateOptions): Promise<Calibration>;
  };
  check(await calibrateBuilt({ levels: [2, 4], windowMs: 300, settleMs: 300 }));
});

test('a level above the limit on open files is not tried, nor are those after it', async () => {
  const { levels, accurateStreams, skipped } = await calibrate({ levels: [1e9, 2e9], windowMs: 100 });
  expect(levels).toHaveLength(1);
  expect(levels[0]).toMatchObject({ lagMs: null, accurate: false });
  expect(levels[0]!.problem).toContain('ulimit -n');
  expect(accurateStreams).toBeNull();
  expect(skipped).toEqual([2e9]);
});

test('an interrupt ends it with what there is', async () => {
  const interrupt = new AbortController();
  const { levels, skipped } = await calibrate({
    levels: [2, 4],
    windowMs: 60_000,
    settleMs: 10,
    signal: interrupt.signal,
    onLevel: () => setTimeout(() => interrupt.abort(), 20),
  });
  expect(levels).toHaveLength(1);
  expect(skipped).toEqual([4]);
});
