import { writeIntoDocument } from '../../verdict/document.ts';
import { alarms, creep, type Shape, type World } from './simulation.ts';

// Prints the tables of docs/gates.md, and with the path of the document writes them there: `npm run gates`, which takes half an
// hour; `npm run gates -- power` makes only the tables with these words in their names.

const [path, wanted = ''] = process.argv.slice(2);
const isWanted = (name: string) => name.includes(wanted);
const TRIALS = 400;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function table(name: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
  console.log(`\n${name}\n\n${text}`);
  if (path !== undefined) writeIntoDocument(path, name, text);
}

const SHAPES: readonly Shape[] = ['lognormal', 'bimodal', 'heavy-tailed'];

/** Worlds, one factor at a time and the corners, so that the table can be made in minutes. */
function worlds(drifts: readonly number[]): World[] {
  const all = SHAPES.flatMap((shape) =>
    [20, 50, 200, 1000].flatMap((n) =>
      [1, 4, 12, 24].flatMap((cells) => drifts.map((drift): World => ({ shape, n, cells, drift }))),
    ),
  );
  const isCorner = ({ n, cells, shape }: World) =>
    shape === 'lognormal'
      ? n <= 200 || cells === 1
      : (n === 20 || n === 200) && (cells === 1 || cells === 12);
  return all.filter((world) => isCorner(world) && (world.n !== 50 || world.shape === 'lognormal'));
}

for (const [runs, drifts] of [
  [10, [0, 0.02, 0.05, 0.1]],
  [5, [0, 0.05, 0.1]],
  [1, [0, 0.02, 0.05]],
] as const) {
  if (!isWanted(`false alarms, ${runs} accepted`)) continue;
  const rows = new Map<string, string[]>();
  let highest = 0;
  for (const world of worlds(drifts)) {
    const share = alarms(world, { runs, trials: TRIALS, seed: runs * 100 + world.n + world.cells });
    highest = Math.max(highest, share);
    const key = `${world.shape} | ${world.n} | ${world.cells}`;
    rows.set(key, [...(rows.get(key) ?? []), percent(share)]);
  }
  const heads = ['distribution', 'requests', 'cells', ...drifts.map((drift) => `drift ${100 * drift} %`)];
  const lines = Array.from(rows, ([key, shares]) => [...key.split(' | '), ...shares]);
  table(`false alarms, ${runs} accepted`, heads, [
    ...lines,
    ['highest', '', '', percent(highest), ...drifts.slice(1).map(() => '')],
  ]);
}

if (isWanted('power')) makePower();
if (isWanted('creep')) makeCreep();

function makePower(): void {
  const power = ([0.25, 0.4] as const).flatMap((width) =>
    [1, 4].flatMap((cells) =>
      [0.02, 0.05, 0.1].map((drift) => {
        const world: World = { shape: 'lognormal', n: 200, cells, drift, width };
        const found = (runs: number, all: number) =>
          percent(alarms(world, { runs, trials: TRIALS, seed: 3, change: { all } }));
        return [
          String(width),
          String(cells),
          percent(drift),
          found(10, 1.2),
          found(5, 1.2),
          found(1, 1.2),
          found(10, 1.3),
        ];
      }),
    ),
  );
  table(
    'power',
    ['width', 'cells', 'drift', '+20 %, 10 runs', '+20 %, 5 runs', '+20 %, 1 run', '+30 %, 10 runs'],
    power,
  );
}

function makeCreep(): void {
  const creeping = [0, 0.02, 0.05].map((drift) => {
    const stopped = (withPin: boolean) =>
      Array.from({ length: 200 }, (_, seed) =>
        creep(
          { shape: 'lognormal', n: 200, cells: 4, drift },
          { step: 0.02, merges: 300, seed: seed + 1, withPin },
        ),
      ).sort((a, b) => a - b);
    const before = (list: number[], limit: number) =>
      percent(list.filter((one) => one < limit).length / list.length);
    const [pinned, free] = [stopped(true), stopped(false)];
    return [percent(drift), before(pinned, 0.15), before(pinned, 0.2), before(free, 0.15)];
  });
  table('creep', ['drift', 'stopped before +15 %', 'before +20 %', 'before +15 % without a pin'], creeping);
}
