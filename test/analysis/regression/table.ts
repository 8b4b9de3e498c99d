import { decideGate } from '../../../src/analysis/regression/gate.ts';
import { alarms, type checksOf, type Shape } from './simulation.ts';

const decide = (c: ReturnType<typeof checksOf>, seed: number) => {
  const d = decideGate(c.summaries, c.cellChecks, { seed, draws: 800 });
  return (
    d.summaries.some((s) => s.verdict === 'regression') || d.cells.some((x) => x.some((y) => y.regression))
  );
};
const trials = +process.argv[2]!;
const Ks = (process.argv[3] ?? '10,5,1').split(',').map(Number);
for (const runs of Ks)
  for (const shape of ['lognormal', 'bimodal', 'heavy-tailed'] as Shape[])
    for (const n of [20, 50, 200])
      for (const cells of [1, 12])
        for (const drift of runs < 5 ? [0, 0.02, 0.05] : [0, 0.05, 0.1]) {
          const w = { shape, n, cells, drift };
          const o = { runs, trials, seed: runs * 1000 + n + cells, decide };
          console.log(
            runs,
            shape,
            n,
            cells,
            drift,
            'FA',
            (100 * alarms(w, o)).toFixed(1),
            'power',
            (100 * alarms(w, { ...o, trials: Math.ceil(trials / 2), change: { all: 1.2 } })).toFixed(0),
          );
        }
