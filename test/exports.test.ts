import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Evaluates an expression in a fresh Node over the built package, as a user of it would import it. */
function evaluate(code: string): unknown {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return JSON.parse(out);
}

const names = (entry: string) =>
  evaluate(`console.log(JSON.stringify(Object.keys(await import('${entry}')).sort()))`);

describe('the public names', () => {
  test('streambench', () => {
    expect(names('streambench')).toEqual(
      [
        'answerMessage',
        'checkRequest',
        'createClient',
        'createGateway',
        'decodeResponse',
        'encodeResponse',
        'encodeStream',
        'readChatRequest',
        'transcode',
        'EventSourceError',
        'eventSource',
        'measuredDispatcher',
        'measuredFetch',
        'RequestFailure',
        'streamingVerdict',
        'DEFAULT_LIMITS',
        'DEFAULT_TIMEOUTS',
        'DIALECT_NAMES',
        'EXIT',
        'FRAMINGS',
        'isContent',
        'monotonicClock',
        'PROVIDERS',
        'UserError',
        'getDialect',
      ].sort(),
    );
  });

  test('streambench/otel and streambench/prometheus', () => {
    expect(names('streambench/otel')).toEqual(['otelRecorder']);
    expect(names('streambench/prometheus')).toEqual(['prometheusRecorder']);
  });

  test('streambench/bench', () => {
    expect(names('streambench/bench')).toEqual(
      [
        'arrivalsOf',
        'contentArrivalsOf',
        'loadScenario',
        'checkGates',
        'METRICS',
        'parseScenario',
        'readEnvironment',
        'REPORTERS',
        'reportRun',
        'runScenario',
        'terminalReport',
      ].sort(),
    );
  });

  test('streambench/simulator', () => {
    expect(names('streambench/simulator')).toMatchInlineSnapshot(`
      [
        "PROFILES",
        "createSimulator",
        "makeScript",
        "scriptEvents",
        "startEmbeddedSimulator",
      ]
    `);
  });
});

test("the root entry loads none of the command line's packages", () => {
  const hooks = `
    import { writeSync } from 'node:fs';
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
  const code = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import('streambench');`;
  const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(loaded).toContain('dist/index.js');
  expect(loaded).toContain('eventsource-parser');
  expect(loaded).not.toMatch(/commander|cli-table3|chalk|\/ora\/|\/yaml\/|\/zod\/|hdr-histogram/);
});
