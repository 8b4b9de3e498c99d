// Runs a scenario from code, prints a markdown summary, and exits with 3 if a threshold failed.
//
//     node examples/gate.mjs [SCENARIO] [FOLDER]

import { checkGates, loadScenario, REPORTERS, runScenario } from 'streambench/bench';

const scenario = process.argv[2] ?? new URL('gate.yaml', import.meta.url).pathname;
const output = process.argv[3] ?? 'results';

const loaded = loadScenario(scenario, { env: process.env });
// Throws a UserError with every mistake in a threshold, before anything is sent.
checkGates(loaded);

const { report, folder } = await runScenario(loaded, {
  output,
  observer: { warning: (message) => console.error(`warning: ${message}`) },
});
console.log(REPORTERS.markdown(report));
console.error(`kept in ${folder}`);

const failed = report.gates.filter(({ verdict }) => verdict !== 'pass');
for (const { expression, actual, unit } of failed)
  console.error(`not met: ${expression} (${actual} ${unit})`);
process.exitCode = failed.length === 0 ? 0 : 3;
