import type { Random } from '../../src/model/seeded-random.ts';
import { between, generator, type Kind, last, lognormal, type Model, scale } from './generator.ts';

/** Services that make the answer first, or hold it back, and services that do so after a live beginning. */

/** The moments of the events, from those at which the tokens were made. */
type Deliver = (made: readonly number[], random: Random) => number[];

function fake(
  name: string,
  draw: (random: Random) => Deliver,
  model: Partial<Model> = {},
  tokensPerEvent = 1,
): Kind {
  return {
    name,
    fake: true,
    service(random) {
      const next = generator(random, model);
      const deliver = draw(random);
      return (ask) => {
        const made = next(ask);
        const events = made.filter(
          (_, i) => i % tokensPerEvent === tokensPerEvent - 1 || i === made.length - 1,
        );
        return { at: deliver(events, random), chars: 4 * tokensPerEvent, wholeMs: last(made) };
      };
    },
  };
}

/** From the moment the whole answer is there, event after event with these gaps. */
function replay(gap: (i: number, of: number) => number): Deliver {
  return (made) => {
    let now = last(made);
    return made.map((_, i) => {
      if (i > 0) now += gap(i, made.length);
      return now;
    });
  };
}

/** A fixed pace between two bounds, in ms, that the service draws once. */
const atOnce = () => replay(() => 0);
const paced = (low: number, high: number) => (random: Random) => {
  const delay = scale(random, [low, high]);
  return replay(() => delay);
};

/** The first events live, the rest at once with the last. */
function tail(live: (events: number, random: Random) => number): (random: Random) => Deliver {
  return () => (made, random) => {
    const count = Math.max(1, Math.min(made.length - 1, Math.round(live(made.length, random))));
    return made.map((ms, i) => (i < count ? ms : last(made)));
  };
}

export const FAKE_KINDS: readonly Kind[] = [
  fake('all in one write', atOnce),
  fake('a proxy holds all, queue in front', atOnce, { noise: [0.4, 0.7] }),
  fake('written event by event, no delay', paced(0.01, 0.05)),
  fake('generate, then chunk', paced(0.05, 0.2), { tokens: [150, 400] }, 5),
  fake('chunks 1-3 ms apart', paced(1, 3)),
  fake('chunks 4-8 ms apart', paced(4, 8)),
  fake('chunks 10-20 ms apart', paced(10, 20)),
  fake('chunks 30-50 ms apart', paced(30, 50), { tokens: [60, 120] }),
  fake('pieces of 20 characters, 20-60 ms apart', paced(20, 60), {}, 5),
  fake('random delays', (random) => {
    const delay = scale(random, [8, 25]);
    return replay(() => delay * between(random, [0.5, 1.5]));
  }),
  fake('exponential delays', (random) => {
    const delay = scale(random, [8, 25]);
    return replay(() => -delay * Math.log(1 - random.next()));
  }),
  fake('delays like a human', (random) => {
    const delay = scale(random, [10, 30]);
    return replay(() => lognormal(random, delay, 0.6));
  }),
  fake('delays like a decoder', (random) => {
    const delay = scale(random, [8, 30]);
    return replay(() => lognormal(random, delay, 0.3));
  }),
  fake('typewriter, word by word', paced(20, 40)),
  fake('typewriter of a fast model', paced(15, 30), { gap: [4, 8] }),
  fake('replayed in one second', () => replay((_, of) => 1000 / of)),
  fake('replayed in a tenth of the time', () => (made) => {
    const whole = last(made);
    return made.map((_, i) => whole + (0.1 * whole * i) / made.length);
  }),
  fake('replayed at the pace of generation', () => (made) => made.map((ms) => last(made) + ms - made[0]!)),
  fake('replayed, faster and faster', (random) => {
    const delay = scale(random, [15, 40]);
    return replay((i, of) => delay * (1.6 - i / of));
  }),
  fake('replayed paragraph by paragraph', (random) => {
    const every = scale(random, [100, 300]);
    return replay((i, of) => (i % Math.ceil(of / 6) === 0 ? every : 0.02));
  }),
  fake('a gateway that polls for the answer', (random) => {
    const every = scale(random, [250, 500]);
    return (made) => made.map(() => Math.ceil(last(made) / every) * every);
  }),
  fake(
    'compressor, flushed at its end',
    () => (made) => made.map((_, i) => last(made) + (i > made.length * 0.7 ? 0.4 : 0)),
  ),
  fake(
    'first event live, the rest at once',
    tail(() => 1),
  ),
  fake('canned first event, the rest at once', (random) => {
    const first = between(random, [20, 80]);
    return (made) => made.map((_, i) => (i === 0 ? first : last(made)));
  }),
  fake('canned first event, the rest replayed', (random) => {
    const first = between(random, [20, 80]);
    const delay = scale(random, [8, 20]);
    return (made) => made.map((_, i) => (i === 0 ? first : last(made) + i * delay));
  }),
  fake(
    'a tenth live, the rest at once',
    tail((events) => events * 0.1),
  ),
  fake(
    'a third live, the rest at once',
    tail((events) => events / 3),
  ),
  fake(
    'half live, the rest at once',
    tail((events) => events / 2),
  ),
  fake(
    '4 KB live, the rest at once',
    tail((_, random) => 18 + random.below(4)),
  ),
];
