import { parseArgs } from 'node:util';
import { writeIntoDocument } from '../../verdict/document.ts';
import { type AbWorld, abAlarms, abCoverage, earlyStops } from '../comparison/ab-world.ts';
import {
  alarms,
  alarmsAtDrifts,
  coverage,
  creep,
  falseAlarmsOfSeries,
  type Shape,
  type World,
} from './simulation.ts';

// Prints the tables of docs/gates.md and writes them there: `npm run gates`, some ten minutes. `npm run gates -- --full` makes the
// table of the false alarms of many more worlds, in half an hour
// (`--trials 100` in ten minutes), and `-- --only creep` makes one of the others.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    /** Of `--full`. */
    trials: { type: 'string', default: '400' },
    only: { type: 'string' },
  },
});
const [path] = positionals;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function table(name: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
  console.log(`\n${name}\n\n${text}`);
  if (path !== undefined) writeIntoDocument(path, name, text);
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
      percent(alarms(world, { runs, trials: MANY, seed: 12, change: { all: 1.2 } })),
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

const SERIES = 100;

function makeCreep(): void {
  const rows = [0, 0.02, 0.05].flatMap((drift) =>
    [0.02, 0.005].map((step) => {
      const world: World = { shape: 'lognormal', n: 200, cells: 4, drift };
      // Later merges do not matter: the service is more than 20 % slower.
      const merges = Math.ceil(Math.log(1.2) / Math.log(1 + step));
      const stopped = (withPin: boolean) =>
        Array.from({ length: SERIES }, (_, seed) => creep(world, { step, merges, seed: seed + 1, withPin }));
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

function makeLongSeries(): void {
  const [series, merges] = [20, 100];
  const rows = [0.02, 0.05, 0.1].map((drift) => {
    const world: World = { shape: 'lognormal', n: 200, cells: 4, drift };
    const alarmed = (withPin: boolean) => {
      const counts = Array.from({ length: series }, (_, seed) =>
        falseAlarmsOfSeries(world, { merges, seed: seed + 1, withPin }),
      );
      const per100 = counts.reduce((sum, count) => sum + count, 0) / series;
      return [percent(per100 / merges), per100.toFixed(1)];
    };
    return [`${100 * drift} %`, ...alarmed(true), ...alarmed(false)];
  });
  const heads = ['with a pin: per run', 'per 100 merges', 'without a pin: per run', 'per 100 merges'];
  table('long series', ['drift', ...heads], rows);
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
    [1, 1.1, 1.15, 1.2, 1.3].map((factor) => {
      const world = { shape: 'lognormal', n: 400, rounds: 20, drift: 0.1, width } as const;
      const found = earlyStops(world, { trials: 100, seed: 3, change: { factor } });
      const { regression, regressionAtMaximum, otherwise, stopped, saved } = found;
      const change = factor === 1 ? 'none' : `+${Math.round(100 * (factor - 1))} %`;
      return [
        String(width),
        change,
        ...[regression, regressionAtMaximum, otherwise, stopped, saved].map(percent),
      ];
    }),
  );
  const heads = ['width', 'change', 'regression', 'without early stop', 'decided otherwise'];
  table('early stop', [...heads, 'stopped early', 'requests saved'], rows);
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

/** All shapes, sizes and drifts. */
function makeFull(): void {
  const asked = [
    ...[10, 5].flatMap((runs) => [0, 0.02, 0.05, 0.1].map((drift) => ({ runs, drift }))),
    ...[0, 0.02, 0.05].map((drift) => ({ runs: 1, drift })),
  ];
  const rows = SHAPES.flatMap((shape) =>
    [20, 50, 200, 1000].flatMap((n) =>
      [1, 4, 12, 24].map((cells) => {
        const found = alarmsAtDrifts(
          { shape, n, cells },
          {
            asked,
            trials: Number(values.trials),
            seed: 1000 + n + cells,
          },
        );
        console.error(`${shape}, ${n} requests, ${cells} cells`);
        return [shape, String(n), String(cells), ...found.map(({ share }) => percent(share))];
      }),
    ),
  );
  const heads = asked.map(({ runs, drift }) => `${runs} ${runs === 1 ? 'run' : 'runs'}, ${100 * drift} %`);
  table('all worlds', [...HEADS.slice(0, 3), ...heads], rows);
}

const TABLES = {
  histories: makeFalseAlarms,
  'one run': makeSingle,
  creep: makeCreep,
  'long series': makeLongSeries,
  'two sides': makeSides,
  'early stop': makeEarlyStop,
  coverage: makeCoverage,
};

if (values.full) makeFull();
else for (const [name, make] of Object.entries(TABLES)) if (name === (values.only ?? name)) make();
