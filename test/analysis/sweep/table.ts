import { MODELS, trueCapacity } from './models.ts';
import { simulateSweep, sweepSettings } from './simulate.ts';

/**
 * How often the sweep finds a known capacity: `npm run sweep:table`. Arguments: the number of seeds for each model (default 20), and
 * part of a model's name.
 */

const seeds = Number(process.argv[2] ?? 20);
const only = process.argv[3];
console.log(
  'model | capacity | within 5 % or one stream | false claims | wider ranges | measurements | requests | minutes',
);
for (const model of MODELS) {
  if (only !== undefined && !model.name.includes(only)) continue;
  const settings = sweepSettings(model.settings);
  const truth = trueCapacity(model);
  let near = 0;
  let wrong = 0;
  let open = 0;
  const sums = { measurements: 0, requests: 0, minutes: 0 };
  const found: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const { edge, measurements, requests, minutes } = simulateSweep(model.world, settings, seed);
    const met = edge.met ?? 0;
    const step = settings.by === 'concurrency' ? 1 : 0;
    if (Math.abs(met - truth) <= Math.max(step, 0.05 * truth) + 1e-6) near += 1;
    // A claim is false if it is wrong by more than the precision.
    if (met > 1.05 * truth + step || (edge.broken ?? Number.POSITIVE_INFINITY) < 0.95 * truth) wrong += 1;
    if (!edge.decided) open += 1;
    sums.measurements += measurements / seeds;
    sums.requests += requests / seeds;
    sums.minutes += minutes / seeds;
    found.push(`${edge.met}..${edge.broken}`);
  }
  console.log(
    `${model.name} | ${truth} | ${near}/${seeds} | ${wrong} | ${open} | ${sums.measurements.toFixed(1)} | ${Math.round(sums.requests)} | ${sums.minutes.toFixed(1)}`,
  );
  if (only !== undefined) console.log(found.join(' '));
}
