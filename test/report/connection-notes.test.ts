import { describe, expect, test } from 'vitest';
import { notes } from '../../src/report/notes.ts';
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
