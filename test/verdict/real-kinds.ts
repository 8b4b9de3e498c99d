import type { Random } from '../../src/model/seeded-random.ts';
import { between, generator, type Kind, last, type Model, type Sent, scale } from './generator.ts';

/** Services that stream, the unusual ones included. */

type Alter = (sent: Sent, random: Random, nth: number) => Sent;

function real(name: string, model: Partial<Model>, alter: Alter = (sent) => sent): Kind {
  return {
    name,
    fake: false,
    service(random) {
      const next = generator(random, model);
      const chars = Math.round(between(random, [3, 5]));
      let nth = 0;
      return (ask) => {
        const at = next(ask);
        return alter({ at, chars, wholeMs: last(at) }, random, nth++);
      };
    },
  };
}

/** The same with a parameter that each service draws once. */
function tuned(
  name: string,
  model: Partial<Model>,
  draw: (random: Random) => number,
  alter: (sent: Sent, value: number, random: Random, nth: number) => Sent,
): Kind {
  return {
    name,
    fake: false,
    service(random) {
      const value = draw(random);
      const kind = real(name, model, (sent, same, nth) => alter(sent, value, same, nth));
      return kind.service(random);
    },
  };
}

/** All that follows event number `from` comes `ms` later. */
function pause(sent: Sent, from: number, ms: number): Sent {
  const at = sent.at.map((time, i) => (i >= from ? time + ms : time));
  return { ...sent, at, wholeMs: sent.wholeMs + ms };
}

/** Tokens are sent several at a time, when the last of them is there. */
function grouped(sent: Sent, sizes: () => number): Sent {
  const at: number[] = [];
  for (let from = 0; from < sent.at.length; ) {
    const size = Math.max(1, sizes());
    at.push(sent.at[Math.min(sent.at.length, from + size) - 1]!);
    from += size;
  }
  return { ...sent, at, chars: Math.round((sent.chars * sent.at.length) / at.length) };
}

function flushedEvery(sent: Sent, everyMs: number): Sent {
  const at = sent.at.map((ms) => Math.ceil(ms / everyMs) * everyMs);
  return { ...sent, at };
}

function flushedBySize(sent: Sent, size: number): Sent {
  const { at } = sent;
  return {
    ...sent,
    at: at.map((_, i) => at[Math.min(at.length - 1, Math.floor(i / size) * size + size - 1)]!),
  };
}

const LONG = { tokens: [200, 400], gap: [10, 25] } as const;

export const REAL_KINDS: readonly Kind[] = [
  real('token by token', {}),
  real('steady decode', { sigma: [0.02, 0.1] }),
  real('uneven decode', { sigma: [1, 1.6] }),
  real('slow decode', { tokens: [30, 60], gap: [50, 110] }),
  real('fast decode', { gap: [3, 8], tokens: [150, 400] }),
  real('1000 tokens/s', { gap: [0.8, 1.2], ttft: [100, 300], tokens: [300, 800] }),
  real('2000-3000 tokens/s', { gap: [0.33, 0.5], ttft: [60, 150], tokens: [500, 1200] }),
  real('1000 tokens/s after a wait', { gap: [0.8, 1.2], ttft: [1500, 2500], tokens: [60, 200] }),
  real('30 tokens at 4 ms after hidden reasoning', { gap: [3.5, 4.5], ttft: [1000, 3000], tokens: [25, 35] }),
  real('hidden reasoning, reported', { ttft: [800, 2500], tokens: [60, 200], gap: [8, 30] }, (sent) => ({
    ...sent,
    hiddenReasoning: true,
  })),
  real('visible reasoning', { tokens: [150, 350] }, (sent, random) =>
    pause(sent, Math.floor(sent.at.length * 0.6), between(random, [100, 800])),
  ),
  real('visible reasoning, fast answer', { tokens: [150, 300] }, (sent) => {
    const from = Math.floor(sent.at.length * 0.7);
    const start = sent.at[from]!;
    const at = sent.at.map((ms, i) => (i <= from ? ms : start + (ms - start) / 8));
    return { ...sent, at, wholeMs: last(at) };
  }),
  real('tool call arguments', { tokens: [60, 150] }, (sent, random) =>
    pause(sent, Math.floor(sent.at.length * 0.3), between(random, [50, 400])),
  ),
  real('a pause for a server tool', {}, (sent, random) =>
    pause(sent, 10 + random.below(30), scale(random, [500, 2500])),
  ),
  real('several pauses for tools', {}, (sent, random) =>
    [0.2, 0.5, 0.8].reduce(
      (all, share) => pause(all, Math.floor(all.at.length * share), scale(random, [300, 1200])),
      sent,
    ),
  ),
  real('speculative decoding', { gap: [5, 12], tokens: [150, 400] }, (sent, random) =>
    grouped(sent, () => 3 + random.below(4)),
  ),
  real('speculative decoding, uneven', { gap: [5, 12], tokens: [150, 400] }, (sent, random) =>
    grouped(sent, () => 1 + random.below(6)),
  ),
  tuned(
    'sentences',
    { gap: [8, 20], tokens: [200, 400] },
    (random) => 12 + random.below(12),
    (sent, size) => grouped(sent, () => size),
  ),
  real('words', { gap: [12, 30] }, (sent, random) => grouped(sent, () => 1 + random.below(2))),
  real('blocks of a diffusion model', { gap: [4, 8], tokens: [200, 400] }, (sent) => grouped(sent, () => 16)),
  real('queue', { ttft: [500, 1500], noise: [0.4, 0.7], tokens: [80, 250], gap: [15, 40] }),
  real('decode held up by others', {}, (sent, random) => {
    let all = sent;
    for (let i = 5; i < sent.at.length; i += 10 + random.below(30))
      all = pause(all, i, between(random, [60, 250]));
    return all;
  }),
  real('short answers', { tokens: [6, 20] }),
  { ...real('answers of a few tokens', { tokens: [1, 4], lengthNoise: [0, 0.1] }), tooShort: true },
  tuned('bursts of 10-30 ms', {}, (random) => scale(random, [10, 30]), flushedEvery),
  tuned('bursts of 40-100 ms', {}, (random) => scale(random, [40, 100]), flushedEvery),
  tuned('flushed every 100-250 ms', LONG, (random) => scale(random, [100, 250]), flushedEvery),
  tuned('flushed every 250-500 ms', LONG, (random) => scale(random, [250, 500]), flushedEvery),
  tuned(
    'flushed every 0.5-1 s',
    { ...LONG, tokens: [300, 450] },
    (random) => scale(random, [500, 1000]),
    flushedEvery,
  ),
  tuned('flushed by size', LONG, (random) => 12 + random.below(20), flushedBySize),
  tuned('flushed by 4 KB', { tokens: [250, 450] }, (random) => 18 + random.below(8), flushedBySize),
  real('a small model nearby', { ttft: [20, 80], gap: [4, 12] }),
  real('long answers', { tokens: [300, 450], gap: [10, 22] }),
  real('a crowded batch', { ttft: [300, 900], tokens: [80, 160], gap: [30, 60] }),
  real('long prompt', { ttft: [800, 2000], tokens: [200, 400], gap: [12, 30] }),
  real('cold first request', {}, (sent, random, nth) =>
    nth === 0 ? pause(sent, 0, scale(random, [2000, 5000])) : sent,
  ),
  real('prefix cache hits', { noise: [0.03, 0.1] }, (sent, random) =>
    random.next() < 0.5 ? sent : pause(sent, 0, -0.7 * sent.at[0]!),
  ),
  tuned(
    'two replicas',
    {},
    (random) => between(random, [1.5, 2.5]),
    (sent, factor, random) => {
      if (random.next() < 0.5) return sent;
      const at = sent.at.map((ms) => ms * factor);
      return { ...sent, at, wholeMs: last(at) };
    },
  ),
  real('network jitter of 5-30 ms', {}, (sent, random) => {
    let earliest = 0;
    const at = sent.at.map((ms) => {
      earliest = Math.max(earliest, ms + between(random, [5, 30]));
      return earliest;
    });
    return { ...sent, at };
  }),
  real('a network that stalls', {}, (sent, random) => {
    const stalls = Array.from({ length: 3 }, () => {
      const from = sent.at[random.below(sent.at.length)]!;
      return [from, from + between(random, [50, 300])] as const;
    });
    const at = sent.at.map((ms) =>
      stalls.reduce((time, [from, to]) => (time >= from && time < to ? to : time), ms),
    );
    return { ...sent, at: at.sort((a, b) => a - b) };
  }),
  real('decode that slows down', {}, (sent) => stretched(sent, (share) => 0.6 + share)),
  real('decode that speeds up', {}, (sent) => stretched(sent, (share) => 1.6 - share)),
  real('slower in the second half of the run', {}, (sent, _, nth) =>
    nth < 6 ? sent : pause({ ...sent, at: sent.at.map((ms) => ms * 1.5), wholeMs: sent.wholeMs * 1.5 }, 0, 0),
  ),
  real('answers cut at the same length', { lengthNoise: [0, 0], tokens: [100, 250] }),
  real('lengths that differ', { lengthNoise: [0.4, 0.8], tokens: [100, 200] }),
  real('first token alone, then a wait', { tokens: [120, 300] }, (sent, random) =>
    pause(sent, 1, between(random, [50, 400])),
  ),
  real('whole answers are 20 % faster', {}, (sent) => ({ ...sent, wholeMs: sent.wholeMs * 0.8 })),
  real('whole answers are 20 % slower', {}, (sent) => ({ ...sent, wholeMs: sent.wholeMs * 1.2 })),
];

function stretched(sent: Sent, factor: (share: number) => number): Sent {
  let now = sent.at[0]!;
  const at = sent.at.map((ms, i) => {
    if (i > 0) now += (ms - sent.at[i - 1]!) * factor(i / sent.at.length);
    return now;
  });
  return { ...sent, at, wholeMs: last(at) };
}
