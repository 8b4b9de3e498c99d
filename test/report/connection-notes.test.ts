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
    [{ connection: 'per-request', targets: [] }, 'Connections: one per request.'],
    [
      {
        connection: 'cold',
        targets: [
          { name: 'a', proxy: 'env' },
          { name: 'b', proxy: 'env' },
        ],
      },
      'Connections: opened by the first requests of each block, then reused (cold); through the proxy of the environment.',
    ],
    [
      {
        targets: [
          { name: 'a', http: 2, insecure: true },
          { name: 'b', proxy: '${env:P}', ip: 6 },
          { name: 'c' },
        ],
      },
      'Connections: a: HTTP/2, up to 100 streams per connection, certificates not verified; b: through the proxy ${env:P}, IPv6 only.',
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
      'The server closed 149 of 150 connections right after an answer without announcing it; the client opened new ones in advance. The server should keep connections open, or send "connection: close".',
    ]);
    expect(told({ replaced: 0, reconnected: 1 })).toEqual([
      'The server closed open connections just as requests were sent: 1 request was resent on a new connection and timed from then.',
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
