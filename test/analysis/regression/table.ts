import { parseArgs } from 'node:util';
import { writeIntoDocument } from '../../verdict/document.ts';
import { type AbWorld, abAlarms, abCoverage, earlyStops } from '../comparison/ab-world.ts';
import { alarms, coverage, creep, type Shape, type World } from './simulation.ts';

// Prints the tables of docs/gates.md and writes them there: `npm run gates`, some ten minutes. `npm run gates -- --full` prints
// the false alarms of many more worlds, in an hour, and `-- --only creep` makes one table.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const [path] = positionals;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function table(name: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
  console.log(`\n${name}\n\n${text}`);
  if (path !== undefined && !values.full) writeIntoDocument(path, name, text);
}

const SHAPES: readonly Shape[] = ['lognormal', 'bimodal', 'heavy-tailed'];
const described = ({ shape, n, cells, drift, width }: World) => [
  width === undefined ? shape : `${shape}, ${width}`,
  ...[n, cells].map(String),
  `${100 * drift} %`,
];
const HEADS = ['distribution', 'requests', 'cells', 'drift'];

/** Worlds in which alarms are likely, and changes hard to find. */
const WORLDS: readonly World[] = [
  { shape: 'lognormal', n: 50, cells: 1, drift: 0.1, width: 0.4 },
  { shape: 'lognormal', n: 200, cells: 1, drift: 0.1, width: 0.4 },
  { shape: 'lognormal', n: 200, cells: 1, drift: 0.05, width: 0.4 },
  { shape: 'lognormal', n: 200, cells: 1, drift: 0.05, width: 0.25 },
  { shape: 'lognormal', n: 200, cells: 4, drift: 0.05, width: 0.4 },
  { shape: 'heavy-tailed', n: 50, cells: 4, drift: 0.05, width: 0.4 },
];
const MANY = 1500;

function makeFalseAlarms(): void {
  const rows = WORLDS.map((world) => {
    const at = (runs: number) => [
      percent(alarms(world, { runs, trials: MANY, seed: 11 })),
      percent(alarms(world, { runs, trials: MANY / 3, seed: 12, change: { all: 1.2 } })),
    ];
    return [...described(world), ...at(10), ...at(5)];
  });
  table('histories', [...HEADS, '10 runs: false', '+20 % found', '5 runs: false', '+20 % found'], rows);
}

function makeSingle(): void {
  const rows = SHAPES.flatMap((shape) =>
    [0, 0.02, 0.05].map((drift) => {
      const of = (n: number, cells: number) =>
        percent(alarms({ shape, n, cells, drift }, { runs: 1, trials: 400, seed: 5 }));
      return [shape, `${100 * drift} %`, of(20, 1), of(20, 12), of(200, 1), of(200, 4)];
    }),
  );
  const heads = ['distribution', 'drift', '20 requests', '20, 12 cells', '200 requests', '200, 4 cells'];
  table('one run', heads, rows);
}

function makeCreep(): void {
  const rows = [0, 0.02, 0.05].flatMap((drift) =>
    [0.02, 0.005].map((step) => {
      const world: World = { shape: 'lognormal', n: 200, cells: 4, drift };
      // Later merges do not matter: the service is more than 20 % slower.
      const merges = Math.ceil(Math.log(1.2) / Math.log(1 + step));
      const stopped = (withPin: boolean) =>
        Array.from({ length: 60 }, (_, seed) => creep(world, { step, merges, seed: seed + 1, withPin }));
      const before = (list: number[], limit: number) =>
        percent(list.filter((one) => one < limit).length / list.length);
      const [pinned, free] = [stopped(true), stopped(false)];
      return [
        `${100 * drift} %`,
        `+${100 * step} %`,
        before(pinned, 0.15),
        before(pinned, 0.2),
        before(free, 0.15),
      ];
    }),
  );
  table('creep', ['drift', 'each merge', 'before +15 %', 'before +20 %', 'before +15 % without a pin'], rows);
}

const AB_WORLDS: readonly AbWorld[] = SHAPES.flatMap((shape) => [
  { shape, n: 20, drift: 0.1 },
  { shape, n: 50, drift: 0.1 },
  { shape, n: 200, drift: 0.1 },
  { shape, n: 200, cells: 4, drift: 0.1 },
]);

function makeSides(): void {
  const rows = AB_WORLDS.map((world) => {
    const share = (trials: number, factor: number) =>
      percent(abAlarms(world, { trials, seed: 21, change: { factor } }));
    const { shape, n, cells = 1 } = world;
    const few = cells > 1 ? 200 : 600;
    return [shape, String(n), String(cells), share(few, 1), share(200, 1.2), share(200, 1.3)];
  });
  const heads = ['distribution', 'requests', 'cells', 'false', '+20 % found', '+30 % found'];
  table('two sides', heads, rows);
}

function makeEarlyStop(): void {
  const rows = [0.25, 0.4].flatMap((width) =>
    [1, 1.1, 1.2, 1.3].map((factor) => {
      const world = { shape: 'lognormal', n: 400, rounds: 20, drift: 0.1, width } as const;
      const found = earlyStops(world, { trials: 100, seed: 3, change: { factor } });
      const { regression, regressionAtMaximum, stopped, saved } = found;
      const change = factor === 1 ? 'none' : `+${Math.round(100 * (factor - 1))} %`;
      return [String(width), change, ...[regression, regressionAtMaximum, stopped, saved].map(percent)];
    }),
  );
  const heads = ['width', 'change', 'regression', 'without early stop', 'stopped early', 'requests saved'];
  table('early stop', heads, rows);
}

function makeCoverage(): void {
  const trials = 500;
  const ofHistory = (['lognormal', 'heavy-tailed'] as const).flatMap((shape) =>
    [1, 5, 10].map((runs) => [
      `${runs} accepted`,
      shape,
      percent(coverage({ shape, n: 100, cells: 1, drift: 0.05 }, { runs, trials, seed: 41 })),
      percent(coverage({ shape, n: 100, cells: 1, drift: 0.05 }, { runs, trials, seed: 42, factor: 1.2 })),
    ]),
  );
  const ofSides = (['lognormal', 'heavy-tailed'] as const).flatMap((shape) =>
    [2, 3, 4, 5, 10].map((rounds) => {
      const world = { shape, n: 20 * rounds, rounds, drift: 0.1, own: 0.03 };
      return [
        `two sides, ${rounds} rounds`,
        shape,
        percent(abCoverage(world, { trials, seed: 43 })),
        percent(abCoverage(world, { trials, seed: 44, factor: 1.2 })),
      ];
    }),
  );
  table('coverage', ['compared', 'distribution', 'no change', '+20 %'], [...ofHistory, ...ofSides]);
}

/** All shapes, sizes and drifts. Not in the document: it takes an hour. */
function makeFull(): void {
  for (const runs of [10, 5, 1]) {
    const drifts = runs === 1 ? [0, 0.02, 0.05] : [0, 0.02, 0.05, 0.1];
    const rows = SHAPES.flatMap((shape) =>
      [20, 50, 200, 1000].flatMap((n) =>
        [1, 4, 12, 24].map((cells) => [
          ...[shape, String(n), String(cells)],
          ...drifts.map((drift) =>
            percent(alarms({ shape, n, cells, drift }, { runs, trials: 400, seed: runs * 100 + n + cells })),
          ),
        ]),
      ),
    );
    const heads = [...HEADS.slice(0, 3), ...drifts.map((drift) => `drift ${100 * drift} %`)];
    table(`false alarms, ${runs} accepted`, heads, rows);
  }
}

const TABLES = {
  histories: makeFalseAlarms,
  'one run': makeSingle,
  creep: makeCreep,
  'two sides': makeSides,
  'early stop': makeEarlyStop,
  coverage: makeCoverage,
};

if (values.full) makeFull();
else for (const [name, make] of Object.entries(TABLES)) if (name === (values.only ?? name)) make();
