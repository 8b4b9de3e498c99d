import type { Reporter, TestCase, TestModule } from 'vitest/node';

const SHOWN = 15;

/** Prints the slowest tests and files of a run. */
export default class SlowestTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const slowest = tests
      .map((test): [string, number] => [nameOf(test), test.diagnostic()?.duration ?? 0])
      .sort(([, a], [, b]) => b - a)
      .slice(0, SHOWN);
    const files = modules
      .map((module): [string, number] => [module.relativeModuleId, module.diagnostic().duration])
      .sort(([, a], [, b]) => b - a)
      .slice(0, SHOWN);
    process.stdout.write(`\nSlowest tests\n${table(slowest)}\n\nSlowest files\n${table(files)}\n`);
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function table(rows: readonly [string, number][]): string {
  return rows.map(([name, ms]) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${name}`).join('\n');
}
