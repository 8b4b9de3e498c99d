import { describe, expect, test } from 'vitest';
import { DASH } from '../../../src/model/format.ts';
import type { Report } from '../../../src/model/report.ts';
import type { ShardReport } from '../../../src/model/shard-report.ts';
import { markdownReport } from '../../../src/report/formats/markdown.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { machineNotes, machineRows, shardNote } from '../../../src/report/wording/machines.ts';
import { sampleReport } from '../sample.ts';

const machine = (number: number, changes: Partial<ShardReport> = {}): ShardReport => ({
  ...{ number, of: 2, host: `node-${number}`, run: `run-${number}`, startedAt: '2026-11-21T10:00:00.000Z' },
  ...{ os: 'Linux 6.1', arch: 'x64', cpus: { model: 'Xeon', count: 4 } },
  ...{ shiftMs: 0, requests: 1_234, utilization: 0.25, delayP99Ms: 2 },
  clock: [{ target: 'flash', least: -3, most: 9, responses: 1_234 }],
  ...changes,
});

const merged = (shards: readonly ShardReport[], share = 0.97): Report => ({
  ...sampleReport(),
  machines: { shards, leastOverlap: { round: 1, cell: 0, share } },
});

describe('a merged run', () => {
  test('has a row for each machine, in the terminal and in markdown', () => {
    const report = merged([
      machine(1, { startLateMs: 4 }),
      machine(2, { shiftMs: 1_500, clock: [], utilization: null }),
    ]);
    expect(machineRows(report)).toEqual([
      ['1', 'node-1', '1234', '25 %', '-3 to +9 ms', '4.0 ms after --start-at'],
      ['2', 'node-2', '1234', DASH, DASH, '1500 ms after the first'],
    ]);
    expect(terminalReport(report, { width: 120, color: 0 })).toMatch(
      /Machines\n {2}shard {2}machine .*\n {2}1 {6}node-1/,
    );
    expect(markdownReport(report)).toContain('| 1 | node-1 |');
  });

  test('says how far the machines measured together', () => {
    expect(machineNotes(merged([machine(1), machine(2)]))[0]).toMatch(
      /same time for at least 97 % of every block .*round 2/,
    );
    expect(machineNotes(merged([machine(1), machine(2)], 0.4))[0]).toMatch(
      /did not measure together.*only 40 %/,
    );
  });

  test('names the pair of clocks that differ for certain', () => {
    const clock = (least: number, most: number) => [{ target: 'flash', least, most, responses: 9 }];
    const apart = merged([machine(1, { clock: clock(-20, 10) }), machine(2, { clock: clock(300, 330) })]);
    // The server is ahead of machine 2 by 300 ms, and of machine 1 by at most 10 ms.
    expect(machineNotes(apart).join(' ')).toContain(
      'clock of shard 2 is at least 290 ms behind that of shard 1',
    );
    const close = merged([machine(1, { clock: clock(-20, 10) }), machine(2, { clock: clock(0, 90) })]);
    expect(machineNotes(close).join(' ')).not.toContain('behind');
    const several = merged([machine(1, { clock: clock(50, -50) }), machine(2, { clock: clock(300, 330) })]);
    expect(machineNotes(several).join(' ')).not.toContain('behind');
    expect(machineRows(several)[0]![4]).toBe('inconsistent');
  });

  test('says that the machines differ', () => {
    const other = machine(2, { cpus: { model: 'EPYC', count: 64 } });
    expect(machineNotes(merged([machine(1), other])).join(' ')).toContain('64 × EPYC (shard 2)');
  });
});

test('a shard says what it is, and where its gates are decided', () => {
  const report: Report = { ...sampleReport(), shard: { number: 2, of: 4, host: 'n\u001b[2J' } };
  expect(shardNote(report)).toMatch(/^Shard 2 of 4.*streambench merge/);
  expect(shardNote(report)).not.toContain('\u001b');
  expect(terminalReport(report, { width: 120, color: 0 })).toContain('Shard 2 of 4');
  expect(markdownReport(report)).toContain('Shard 2 of 4');
  expect(shardNote(sampleReport())).toBeUndefined();
  expect(machineRows(sampleReport())).toEqual([]);
});
