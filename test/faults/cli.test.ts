import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import { scratch, streambench } from '../support/program.ts';
import { faultServer } from './server.ts';
import { FAULTS } from './table.ts';

/** Some of each group, by the program itself: the first request meets the fault, and the second one is answered. */
const SAMPLE = [
  ...[
    'reset before the status line',
    'garbage',
    'cut in the headers',
    'status of letters',
    'header of 1 MiB',
  ],
  ...['content-length and chunked', 'switching protocols', '401', '429', '500 with a body of NULs'],
  ...['chunk size beyond 64 bits', 'gzip', 'stream: a page', 'openai-chat: cut after content'],
  ...['UTF-16', 'error nested 10,000 deep', 'broken JSON after content', '__proto__ key'],
  ...[
    'openai-chat: a rate limit after content',
    'closed after the answer',
    'whole answer: a stream',
    'no content',
  ],
];

/** Programs at once. */
const AT_ONCE = 2;

test('the program ends with the same outcomes, and goes on after each', async () => {
  const left = SAMPLE.map((name) => FAULTS.find((fault) => fault.name === name) ?? name);
  expect(left.filter((fault) => typeof fault === 'string')).toEqual([]);
  const worker = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
      if (typeof fault === 'string') continue;
      const server = await faultServer(fault);
      const folder = scratch();
      try {
        const { mode = 'streaming', name } = fault;
        const done = await streambench([
          ...['run', '--target', server.origin, '--dialect', 'openai-chat', '--model', 'm', '--exact-url'],
          ...['-c', '1', '-n', '2', '--rounds', '1', '--warmup', '0', '--connection', 'cold', '--mode', mode],
          ...['--workers', '1', '-t', '20s', '--keep-going', '-o', folder.path, '--json'],
        ]);
        const { kind, message = '', hint = '' } = fault.expect;
        // A request that failed is no failure of the program, and nothing was to be checked.
        expect(done.code, `${name}\n${done.stderr}`).toBe(0);
        const run = (JSON.parse(done.stdout) as { run: { id: string } }).run.id;
        const records = readFileSync(join(folder.path, run, 'records.ndjson'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as RequestRecord);
        expect(
          records.map(({ outcome }) => outcome.kind),
          name,
        ).toEqual([kind, 'ok']);
        expect(records[0]!.outcome.message ?? '', name).toContain(message);
        expect(records[0]!.outcome.hint ?? '', name).toContain(hint);
      } finally {
        await server.close();
        folder.dispose();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}, 120_000);
