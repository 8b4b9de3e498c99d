import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../client/measure.ts';
import { libraryReader } from './libraries.ts';
import { LIBRARIES } from './task.ts';

// What the measurement adds to each event, in CPU time: the same streams are read from memory with it and without it, in
// turns, in one process. No socket and no other process takes part, so it is exact on a machine that is not quiet.
//   node cost.js [--streams 200] [--events 100] [--rounds 40]

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '200' },
    events: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '40' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [streams, events, rounds] = [values.streams, values.events, values.rounds].map(Number) as [
  number,
  number,
  number,
];

type Fetch = typeof globalThis.fetch;

const built = pathToFileURL(resolve('dist/index.js')).href;
const { measuredFetch, measuredDispatcher }: typeof import('../../src/index.ts') = await import(built);

const utf8 = new TextEncoder();
const chunkOf = (delta: object, finish: string | null) =>
  utf8.encode(
    `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${JSON.stringify(delta)},"finish_reason":${JSON.stringify(finish)}}]}\n\n`,
  );
const EVENT = chunkOf({ content: ' tokens' }, null);
const LAST = [chunkOf({}, 'stop'), utf8.encode('data: [DONE]\n\n')];

let open: ReadableStreamDefaultController<Uint8Array>[] = [];
const fromMemory: Fetch = async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => void open.push(controller),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
};

const turn = () => new Promise<void>((done) => setImmediate(done));

/** Reads all streams at once, one event of each in a turn of the event loop. The answer: CPU time per event, in us. */
async function batch(read: () => Promise<number>): Promise<number> {
  open = [];
  const reading = Array.from({ length: streams }, read);
  while (open.length < streams) await turn();
  const before = process.cpuUsage();
  for (let event = 0; event < events; event++) {
    for (const controller of open) controller.enqueue(Uint8Array.from(EVENT));
    await turn();
  }
  for (const controller of open) {
    for (const chunk of LAST) controller.enqueue(chunk);
    controller.close();
  }
  const counts = await Promise.all(reading);
  // Until the observations are made.
  for (let i = 0; i < 20; i++) await turn();
  const { user, system } = process.cpuUsage(before);
  if (counts.some((count) => count !== events)) throw new Error(`read ${counts[0]} events of ${events}`);
  return (user + system) / (streams * events);
}

let observed = 0;
let complete = 0;
const onObservation = ({ outcome, contentEvents }: { outcome: { kind: string }; contentEvents: number }) => {
  observed++;
  if (outcome.kind === 'ok' && contentEvents === events) complete++;
};

const rows = [];
for (const library of LIBRARIES.filter((name) => !values.only || name === values.only)) {
  const bare = await libraryReader(library, 'http://127.0.0.1/v1', fromMemory);
  const measured = await libraryReader(
    library,
    'http://127.0.0.1/v1',
    measuredFetch(fromMemory, { onObservation }),
  );
  rows.push(
    await compare(
      `measuredFetch, ${library}`,
      () => batch(() => bare(() => {})),
      () => batch(() => measured(() => {})),
    ),
  );
}
rows.push(
  await compare(
    'measuredDispatcher',
    () => dispatchAll(false),
    () => dispatchAll(true),
  ),
);
if (observed === 0 || complete !== observed)
  throw new Error(`${complete} of ${observed} observations are complete`);
if (values.json) console.log(JSON.stringify(rows, null, 2));
else console.table(rows);

/** The pairs take turns in their order. The first fifth warms up. */
async function compare(name: string, bare: () => Promise<number>, measured: () => Promise<number>) {
  const pairs: { bare: number; measured: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const isFirst = round % 2 === 0;
    const first = await (isFirst ? bare() : measured());
    const second = await (isFirst ? measured() : bare());
    pairs.push(isFirst ? { bare: first, measured: second } : { bare: second, measured: first });
  }
  const warm = pairs.slice(rounds / 5);
  const added = warm.map((pair) => pair.measured - pair.bare).sort((a, b) => a - b);
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    name,
    'bare us/event': round(median(warm.map((pair) => pair.bare))),
    'measured us/event': round(median(warm.map((pair) => pair.measured))),
    'added us/event': round(median(added)),
    quartiles: `${round(added[Math.floor(added.length / 4)]!)} ${round(added[Math.floor((added.length * 3) / 4)]!)}`,
  };
}

/** The handler alone: what undici does is the same in both. */
async function dispatchAll(isMeasured: boolean): Promise<number> {
  type Handler = Record<string, (...args: unknown[]) => void>;
  const handlers: Handler[] = [];
  const dispatch = (_options: unknown, handler: Handler) => handlers.push(handler) > 0;
  const own: Handler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError() {},
  };
  const send = isMeasured
    ? measuredDispatcher({ onObservation })(dispatch as never)
    : (dispatch as never as typeof dispatch);
  const request = {
    origin: 'http://127.0.0.1',
    path: '/v1/chat/completions',
    method: 'POST',
    body: '{"stream":true}',
  };
  for (let i = 0; i < streams; i++) send(request as never, own as never);
  const controller = { aborted: false };
  const each = (name: string, ...args: unknown[]) => {
    for (const handler of handlers) handler[name]?.(controller, ...args);
  };
  each('onRequestStart', {});
  each('onResponseStart', 200, { 'content-type': 'text/event-stream' }, 'OK');
  const before = process.cpuUsage();
  for (let event = 0; event < events; event++) {
    for (const handler of handlers) handler.onResponseData?.(controller, Uint8Array.from(EVENT));
    await turn();
  }
  for (const chunk of LAST) each('onResponseData', chunk);
  each('onResponseEnd', {});
  for (let i = 0; i < 20; i++) await turn();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (streams * events);
}
