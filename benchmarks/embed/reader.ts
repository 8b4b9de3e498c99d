import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { percentileOf } from '../../src/metrics/percentile.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { libraryReader, type OnText } from './libraries.ts';
import type { EmbedResult, EmbedTask } from './task.ts';

// One client library under one load, in a process of its own, with measuredFetch or without it.

type Fetch = typeof globalThis.fetch;

const CONNECT_AT_ONCE = 50;

const task = JSON.parse(process.argv[2] ?? '{}') as EmbedTask;
const lags: number[] = [];
let isOpen = false;
const arrived: OnText = (sentAt) => {
  if (isOpen) lags.push(monotonicClock.now() - Number(sentAt));
};

const baseURL = `http://127.0.0.1:${task.port}/v1`;
const read = await libraryReader(task.library, baseURL, await fetchFor(task.way));
for (let i = 0; i < task.streams; i++) {
  read(arrived).catch(() => {});
  if (i % CONNECT_AT_ONCE === CONNECT_AT_ONCE - 1) await sleep(20);
}
await sleep(task.settleMs);
isOpen = true;
const before = process.cpuUsage();
await sleep(task.windowMs);
const { user, system } = process.cpuUsage(before);
isOpen = false;
const sorted = Float64Array.from(lags).sort();
const result: EmbedResult = {
  events: lags.length,
  cpuMicrosPerEvent: (user + system) / lags.length,
  lagMs: { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99) },
  rssBytes: process.memoryUsage.rss(),
};
process.send?.(result, () => process.exit());

// The package as it is built, with the dependencies that it is shipped with.
async function fetchFor(way: EmbedTask['way']): Promise<Fetch> {
  const built = pathToFileURL(resolve('dist/index.js')).href;
  const { measuredFetch, measuredDispatcher }: typeof import('../../src/index.ts') = await import(built);
  const options = { onObservation: () => {} };
  switch (way) {
    case 'bare':
      return globalThis.fetch;
    case 'fetch':
      return measuredFetch(options);
    case 'dispatcher': {
      const undici = pathToFileURL(resolve('node_modules/undici/index.js')).href;
      const { Agent }: typeof import('undici') = await import(undici);
      const dispatcher = new Agent().compose(measuredDispatcher(options));
      return (input, init) => globalThis.fetch(input, { ...init, dispatcher } as RequestInit);
    }
    default:
      return way satisfies never;
  }
}
