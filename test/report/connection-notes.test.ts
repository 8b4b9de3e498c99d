import { describe, expect, test } from 'vitest';
import type { CellReport } from '../../src/model/report.ts';
import { notes } from '../../src/report/wording/notes.ts';
import { sampleReport } from './sample.ts';

function connections(document: unknown): string | undefined {
  const report = sampleReport();
  return notes({ ...report, scenario: { ...report.scenario, document } }).find((note) =>
    note.startsWith('Connections'),
  );
}

describe('how connections were made', () => {
  test.each<[unknown, string | undefined]>([
    [{ targets: [{ name: 'a' }] }, undefined],
    [
      { connection: 'warm', targets: [{ name: 'a', http: 1, ip: 'auto', dns: 'each', insecure: false }] },
      undefined,
    ],
    [undefined, undefined],
    [{ connection: 'per-request', targets: [] }, 'Connections: a new one for each request.'],
    [
      {
        connection: 'cold',
        targets: [
          { name: 'a', proxy: 'env' },
          { name: 'b', proxy: 'env' },
        ],
      },
      "Connections: opened by each block's first requests, then kept (cold); by the proxy that the environment names.",
    ],
    [
      {
        targets: [
          { name: 'a', http: 2, insecure: true },
          { name: 'b', proxy: '${env:P}', ip: 6 },
          { name: 'c' },
        ],
      },
      'Connections: a: HTTP/2, up to 100 streams on a connection, certificates not checked; b: by the proxy ${env:P}, IPv6 only.',
    ],
  ])('%j', (document, line) => expect(connections(document)).toBe(line));
});

describe('connections that the server closed', () => {
  const told = (...counts: Partial<CellReport['connections']>[]) => {
    const report = sampleReport();
    const [one] = report.cells;
    const cells = counts.map((connections, i) => ({
      ...one!,
      target: `t${i}`,
      connections: { new: 1, reused: 149, ...connections },
    }));
    return notes({ ...report, cells }).filter((note) => note.startsWith('The server'));
  };

  test('are told with their share, and what was done about it', () => {
    expect(told({ replaced: 149, reconnected: 0 })).toEqual([
      'The server closed 149 of 150 connections right after an answer, although it had promised to keep them open; new ones were opened ahead of time. It should send "connection: close", or keep them.',
    ]);
    expect(told({ replaced: 0, reconnected: 1 })).toEqual([
      'The server closed open connections that requests had just been sent on: 1 request was sent again on a new connection, and timed from then.',
    ]);
  });

  test('are told of each target that did so', () => {
    const lines = told({}, { replaced: 3, reconnected: 2 });
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^The server of t1 closed /);
  });

  test('are not told of where none was, nor of runs of older versions', () => {
    expect(told({}, { replaced: 0, reconnected: 0 })).toEqual([]);
  });
});
