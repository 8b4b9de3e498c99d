import { describe, expect, test } from 'vitest';
import { METRICS } from '../../src/metrics/definitions.ts';
import type { Report } from '../../src/model/report.ts';
import { REPORTERS } from '../../src/report/formats/index.ts';
import { REPORTER_NAMES } from '../../src/report/formats/names.ts';
import { terminalReport } from '../../src/report/terminal/terminal.ts';
import { comparedReport, gatedReport, incomparableReport } from './reports.ts';
import { sampleReport } from './sample.ts';

const report = sampleReport();

describe('json', () => {
  test('is the report, ends in a line feed, and keeps lists of numbers on one line', () => {
    const text = REPORTERS.json(report);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(report)));
    expect(text.endsWith('}\n')).toBe(true);
    expect(text).toMatch(/"samples": \[\d[\d.,]+\]/);
  });

  test('a text that looks like a list of numbers stays as it is', () => {
    const one = structuredClone(report);
    one.scenario.name = '[\n 1, 2\n]';
    expect(JSON.parse(REPORTERS.json(one)).scenario.name).toBe('[\n 1, 2\n]');
  });

  test('the order of keys does not depend on how the report was put together', () => {
    const reversed = Object.fromEntries(Object.entries(report).reverse()) as unknown as Report;
    reversed.run = Object.fromEntries(Object.entries(report.run).reverse()) as unknown as Report['run'];
    expect(REPORTERS.json(reversed)).toBe(REPORTERS.json(report));
  });
});

describe('markdown', () => {
  test('golden, failures before figures', async () => {
    const text = REPORTERS.markdown(report);
    expect(text.indexOf('### Failures')).toBeLessThan(text.indexOf('### Streaming'));
    await expect(text).toMatchFileSnapshot('fixtures/report.md');
  });

  test('a regression against the baseline comes before the figures', () => {
    const text = REPORTERS.markdown(comparedReport());
    expect(text).toMatch(/^## demo\n\n.*\n.*\n\| \*\*regression\*\* \| .* \*\*against main: /);
    expect(text.indexOf('### Regression check against baseline main')).toBeLessThan(
      text.indexOf('### Streaming'),
    );
    const rows = text
      .split('\n')
      .filter((line) => /^\| (regression|inconclusive|too|equivalent|unchanged)/.test(line));
    expect(rows[0]).toBe('| regression | all cells | ttft.p95 | 182 / 240 ms | +32 % (+20 to +40) |');
    expect(rows).toHaveLength(8);
    expect(text).toContain('compared with 8 accepted runs of main');
    expect(text).toContain('- the version of Node differs: 20, 22');
    expect(REPORTERS.markdown(incomparableReport())).toContain(
      'not comparable: the runs are of different scenarios',
    );
  });

  test('what a service says cannot become markup', () => {
    const one = structuredClone(report);
    for (const cell of one.cells) {
      cell.failures = [{ kind: 'network', count: 1, message: 'a|b\n<img src=x> @team `c`' }];
    }
    expect(REPORTERS.markdown(one)).toContain('network: a\\|b \\<img src=x\\> &#64;&#8203;team \\`c\\`');
  });

  test('an aborted run says so first', () => {
    const run = { ...report.run, aborted: true, abortReason: 'interrupted' };
    expect(REPORTERS.markdown({ ...report, run })).toMatch(
      /^## demo\n\n.*\n.*\n\| \*\*run\*\* \| .* \*\*ABORTED: interrupted/,
    );
  });
});

test.each(['terminal', ...REPORTER_NAMES] as const)(
  '%s names a saturated client once, not once a cell',
  (name) => {
    const one = structuredClone(report);
    const [first] = gatedReport().cells.flatMap(({ client }) =>
      client?.verdict === 'saturated' ? [client] : [],
    );
    for (const cell of one.cells) cell.client = first;
    const text = name === 'terminal' ? terminalReport(one, { width: 100, color: 0 }) : REPORTERS[name](one);
    expect(text.split('The client was saturated').length - 1).toBeLessThanOrEqual(1);
    expect(text.match(/reused an open connection|opened a connection/g)?.length ?? 0).toBeLessThanOrEqual(1);
  },
);

describe('csv', () => {
  test('one row for each metric of each cell, CRLF at the ends', () => {
    const lines = REPORTERS.csv(report).split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(1 + report.cells.length * METRICS.length);
    expect(lines[0]).toBe(
      'run,target,prompt,concurrency,rate,mode,requests,ok,metric,unit,n,min,mean,sd,p50,p90,p95,p99,max,token_source,goodput_per_second,goodput_share,reached_mean,reached_max,load_reached,client_verdict,client_late_ms,stage,load_from,cost_per_request,cost_per_1000_answers,currency',
    );
    const { metrics, reached } = report.cells[0]!;
    const { ttft } = metrics;
    expect(lines).toContain(
      `${report.run.id},flash,short,1,,streaming,40,38,ttft,ms,38,${ttft!.min},${ttft!.mean},${ttft!.sd},${ttft!.p50},${ttft!.p90},${ttft!.p95},${ttft!.p99},${ttft!.max},usage,,,${reached!.mean},1,true,,,,,,,`,
    );
  });

  test('a metric without values has empty figures, not zeros', () => {
    const row = REPORTERS.csv(report)
      .split('\r\n')
      .find((line) => line.includes('non-streaming') && line.includes(',gap,'));
    expect(row).toMatch(/,gap,,0,,,,,,,,,usage,,,[\d.]+,1,true,,,,,,,$/);
  });

  test('commas, quotes and line ends are quoted', () => {
    const one = structuredClone(report);
    one.cells[0]!.prompt = 'a,"b"\nc';
    expect(REPORTERS.csv(one)).toContain(',"a,""b""\nc",');
  });

  test.each([
    ['=1+1', `"'=1+1"`],
    ['+cmd|x', `"'+cmd|x"`],
    ['-2+3', `"'-2+3"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t=1"`],
    ['＝1', `"'＝1"`],
    ['-1.5', '-1.5'],
    ['a=b', 'a=b'],
    ['x\u001b]52;c;QQ==\u0007', String.raw`"x\u{1b}]52;c;QQ==\u{7}"`],
  ])('the name %j is no formula and has no control in it', (name, cell) => {
    const one = structuredClone(report);
    one.cells[0]!.prompt = name;
    expect(REPORTERS.csv(one).split('\r\n')[1]).toContain(`,flash,${cell},1,,streaming`);
  });
});
