import { findChangePoints } from '../../../src/analysis/history/change-points.ts';
import { drawHistory, type Scatter, trialRandom, tTestChangePoints, type World } from './simulation.ts';

/**
 * Prints the tables of docs/history.md: `npm run history:table [TRIALS]`. False change points in steady histories, and how soon
 * a change of +10 % is found.
 */

const TRIALS = Number(process.argv[2] ?? 400);
const LONGEST_DELAY = 20;

type Search = (values: readonly number[], seed: number) => number[];

const eDivisive: Search = (values, seed) =>
  (findChangePoints([values], { seed })[0] ?? []).map(({ index }) => index);

/** The same series as one of seven figures, which share half of their variance with it. All points that are found. */
const ofSeven =
  (drift: number, all: boolean): Search =>
  (values, seed) => {
    const random = trialRandom(seed + 1_000_000);
    const noise = Math.SQRT1_2 * drift;
    const shared = values.map((value, run) => {
      const steady = run >= CHANGE_AT && !all ? value - Math.log(1.1) : value;
      return Math.log(100) + (steady - Math.log(100)) * Math.SQRT1_2;
    });
    const others = Array.from({ length: 6 }, () => shared.map((value) => value + noise * random.normal()));
    const found = findChangePoints([values, ...others], { seed });
    return (all ? found.flat() : (found[0] ?? [])).map(({ index }) => index);
  };

const CHANGE_AT = 20;

function steady(world: World, search: Search): string {
  let [histories, points] = [0, 0];
  for (let seed = 0; seed < TRIALS; seed++) {
    const found = search(drawHistory(world, trialRandom(seed)), seed);
    histories += found.length > 0 ? 1 : 0;
    points += found.length;
  }
  return `${((100 * histories) / TRIALS).toFixed(1)} % (${((100 * points) / TRIALS).toFixed(0)})`;
}

function delays(drift: number, scatter: Scatter, search: Search): string[] {
  const change = { at: CHANGE_AT, factor: 1.1 };
  const found = Array.from({ length: TRIALS / 2 }, (_, seed) => {
    const values = drawHistory(
      { runs: CHANGE_AT + LONGEST_DELAY, drift, scatter, change },
      trialRandom(seed),
    );
    for (let after = 2; after <= LONGEST_DELAY; after++) {
      const points = search(values.slice(0, CHANGE_AT + after), seed);
      const near = points.find((index) => Math.abs(index - CHANGE_AT) <= 3);
      if (near !== undefined) return { after, exact: Math.abs(near - CHANGE_AT) <= 1 };
    }
    return { after: Number.POSITIVE_INFINITY, exact: false };
  });
  const sorted = found.map(({ after }) => after).sort((a, b) => a - b);
  const share = (of: (one: (typeof found)[number]) => boolean) =>
    `${((100 * found.filter(of).length) / found.length).toFixed(0)} %`;
  return [
    String(sorted[Math.floor(sorted.length / 2)]),
    share(({ after }) => after <= 5),
    share(({ after }) => after <= 10),
    share(({ exact }) => exact),
  ];
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

const SCATTERS: readonly Scatter[] = ['normal', 'heavy-tailed'];

row(['spread between runs', 'runs', 'E-divisive', '7 figures', 't-test, p < 0.001']);
row(['---', '--:', '--:', '--:', '--:']);
for (const memory of [0, 0.3, 0.6])
  for (const scatter of memory === 0 ? SCATTERS : SCATTERS.slice(0, 1))
    for (const runs of [30, 100]) {
      const world: World = { runs, drift: 0.05, scatter, memory };
      const name = memory === 0 ? scatter : `${scatter}, correlation ${memory} with the run before`;
      row([
        name,
        String(runs),
        steady(world, eDivisive),
        memory === 0 && runs === 30 ? steady(world, ofSeven(0.05, true)) : '',
        steady(world, (values) => tTestChangePoints(values)),
      ]);
    }
console.log();
row(['drift', 'spread', 'search', 'median delay', 'within 5 runs', 'within 10', 'place ± 1 run']);
row(['--:', '---', '---', '--:', '--:', '--:', '--:']);
for (const drift of [0.02, 0.05])
  for (const scatter of SCATTERS) {
    const name = `${(100 * drift).toFixed(0)} %`;
    row([name, scatter, 'E-divisive', ...delays(drift, scatter, eDivisive)]);
    row([name, scatter, 'E-divisive, one of 7 figures', ...delays(drift, scatter, ofSeven(drift, false))]);
    row([
      name,
      scatter,
      't-test, p < 0.001',
      ...delays(drift, scatter, (values) => tTestChangePoints(values)),
    ]);
  }
