// Streams for a long time, and checks that memory, descriptors and timers stay level and that no event is lost:
// node test/soak/soak.mjs [STREAMS] [SECONDS] [REQUESTS]
//
// Stops when the requests are done or the time is over. Exits with 1 when a bound is broken.
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../dist/index.js';

const [streams, seconds, requests] = [300, 600, 100_000].map((value, i) =>
  Number(process.argv[2 + i] ?? value),
);
/** What a run may not exceed. The slope says little about a short run: the collector has not settled. */
const SHORT = seconds < 300;
const MAX_SLOPE_MB_PER_MINUTE = SHORT ? 60 : 2;
/** Sockets of the streams, with some for those that are being replaced. */
const MAX_DESCRIPTORS_OVER = Math.ceil(streams * 1.2) + 20;
const MAX_DESCRIPTORS_AFTER = 5;
const MAX_TIMERS_AFTER = 2;

// Five words at this pace, the finish and the terminator: the requests are spread over the time.
const gapMs = Math.max(5, Math.floor(((seconds * 0.5 * streams) / requests / 6) * 1000));
const server = fork(join(import.meta.dirname, 'stream-server.mjs'), [String(gapMs)]);
const ask = (message) =>
  new Promise((resolve) => {
    server.once('message', resolve);
    if (message !== undefined) server.send(message);
  });
const { port } = await ask();

const client = createClient({
  baseUrl: `http://127.0.0.1:${port}/v1`,
  dialect: 'openai-chat',
  auth: 'none',
  model: 'm',
});
const descriptors = () => {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0; // Not Linux.
  }
};
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const before = { descriptors: descriptors(), timers: timers() };
const samples = [];
const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 1000;
const sampling = setInterval(
  () => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    samples.push({
      at: elapsed(),
      rssMb: rss / 2 ** 20,
      heapMb: heapUsed / 2 ** 20,
      descriptors: descriptors(),
      timers: timers(),
    });
  },
  Math.min(5_000, seconds * 50),
);
const progress = setInterval(() => {
  const { rssMb, heapMb, descriptors: open } = samples.at(-1);
  console.log(
    `${elapsed().toFixed(0)} s: ${seen.requests} requests, ${rssMb.toFixed(0)} MB (heap ${heapMb.toFixed(1)}), ${open} descriptors`,
  );
}, 30_000);

const seen = { requests: 0, events: 0, bytes: 0, outcomes: {} };
let begun = 0;
async function stream() {
  while (begun < requests && elapsed() < seconds) {
    const number = begun++;
    const now = performance.now();
    // One in ten is read by an iterator, the others as the load engine does.
    const observation =
      number % 10 === 0
        ? await iterate(number)
        : await client.measure({
            request: { model: 'm', messages: [{ role: 'user', content: `${number}` }], stream: true },
            ...{ scheduledAt: now, originAt: now, keepText: false },
          });
    seen.requests++;
    seen.events += observation.events;
    seen.bytes += observation.status === 200 ? observation.bytes : 0;
    const { kind } = observation.outcome;
    seen.outcomes[kind] = (seen.outcomes[kind] ?? 0) + 1;
  }
}
async function iterate(number) {
  const answer = client.stream({ prompt: `${number}` });
  for await (const _ of answer);
  return answer.result;
}

await Promise.all(Array.from({ length: streams }, stream));
const tookSeconds = elapsed();
clearInterval(sampling);
clearInterval(progress);
const { sent } = await ask('log');
client.close();
server.disconnect();
await new Promise((resolve) => setTimeout(resolve, 1_000));
const after = { descriptors: descriptors(), timers: timers() };

/** MB a minute, by least squares over the second half. */
function slope(of) {
  const half = samples.filter(({ at }) => at > tookSeconds / 2);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = half.map(({ at }) => at / 60);
  const y = half.map(of);
  const [mx, my] = [mean(x), mean(y)];
  const spread = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
  return spread === 0 ? 0 : x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0) / spread;
}
const most = (of) => Math.max(...samples.map(of));
const rssSlope = slope(({ rssMb }) => rssMb);
const heapSlope = slope(({ heapMb }) => heapMb);

const checks = [
  ['requests ended', seen.requests, `of ${begun}`, seen.requests === begun && sent.requests === begun],
  ['events seen', seen.events, `of ${sent.events} sent`, seen.events === sent.events],
  ['bytes seen', seen.bytes, `of ${sent.bytes} sent`, seen.bytes === sent.bytes],
  ['whole answers', seen.outcomes.ok ?? 0, `of ${sent.whole}`, seen.outcomes.ok === sent.whole],
  [
    'cut answers',
    seen.outcomes.truncated ?? 0,
    `of ${sent.cut}`,
    (seen.outcomes.truncated ?? 0) === sent.cut,
  ],
  [
    'refusals',
    seen.outcomes.http_error ?? 0,
    `of ${sent.refused}`,
    (seen.outcomes.http_error ?? 0) === sent.refused,
  ],
  [
    'memory, MB a minute',
    rssSlope.toFixed(2),
    `at most ${MAX_SLOPE_MB_PER_MINUTE}`,
    rssSlope <= MAX_SLOPE_MB_PER_MINUTE,
  ],
  [
    'heap, MB a minute',
    heapSlope.toFixed(2),
    `at most ${MAX_SLOPE_MB_PER_MINUTE}`,
    heapSlope <= MAX_SLOPE_MB_PER_MINUTE,
  ],
  [
    'most descriptors',
    most(({ descriptors: open }) => open),
    `at most ${before.descriptors + MAX_DESCRIPTORS_OVER}`,
    most(({ descriptors: open }) => open) <= before.descriptors + MAX_DESCRIPTORS_OVER,
  ],
  [
    'descriptors left',
    after.descriptors,
    `at most ${before.descriptors + MAX_DESCRIPTORS_AFTER}`,
    after.descriptors <= before.descriptors + MAX_DESCRIPTORS_AFTER,
  ],
  [
    'timers left',
    after.timers,
    `at most ${before.timers + MAX_TIMERS_AFTER}`,
    after.timers <= before.timers + MAX_TIMERS_AFTER,
  ],
];
if (seconds > 60)
  checks.push(['requests in all', seen.requests, `at least ${requests}`, seen.requests >= requests]);
console.log(
  `${streams} streams, ${tookSeconds.toFixed(0)} s, ${seen.requests} requests, an event every ${gapMs} ms; most memory ${most(({ rssMb }) => rssMb).toFixed(0)} MB, most timers ${most(({ timers: count }) => count)}`,
);
for (const [name, value, bound, holds] of checks)
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${name}: ${value} (${bound})`);
process.exitCode = checks.every(([, , , holds]) => holds) ? 0 : 1;
