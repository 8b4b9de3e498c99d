import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { benchmarkReport } from '../../../src/report/formats/benchmark-report.ts';
import { type JsonSchema, schemaErrors } from '../../support/json-schema.ts';
import { sampleReport } from '../sample.ts';

// Made by llm-d's own models.
const SCHEMA = JSON.parse(
  readFileSync(
    resolve(import.meta.dirname, '../../fixtures/benchmark-report/br_v0_2_1_json_schema.json'),
    'utf8',
  ),
) as JsonSchema;

const report = sampleReport();
const documents = parseAllDocuments(benchmarkReport(report)).map((one) => one.toJS());

test('each cell is a document that fits the schema of llm-d', () => {
  expect(documents).toHaveLength(report.cells.length);
  for (const document of documents) expect(schemaErrors(document, SCHEMA)).toEqual([]);
});

test('the schema is checked: what it does not know, and a missing unit, are errors', () => {
  const [document] = documents;
  expect(schemaErrors({ ...document, more: 1 }, SCHEMA)).toEqual(['$.more is not known']);
  const broken = structuredClone(document);
  broken.results.request_performance.aggregate.latency.time_to_first_token.units = 'hours';
  expect(schemaErrors(broken, SCHEMA).join(' ')).toContain('is hours, not one of');
});

test('figures keep their values and units; what a cell does not have is absent', () => {
  for (const [index, { metrics, outcomes, throughput, coalescedShare }] of report.cells.entries()) {
    const { aggregate } = documents[index].results.request_performance;
    const total = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    expect(aggregate.requests).toMatchObject({ total, failures: total - (outcomes.ok ?? 0) });
    const { ttft, total: latency } = metrics;
    if (ttft) {
      expect(aggregate.latency.time_to_first_token).toMatchObject({
        units: 'ms',
        mean: ttft.mean,
        p99: ttft.p99,
      });
      expect(aggregate.latency.request_latency).toMatchObject({ units: 'ms', p50: latency?.p50 });
      expect(aggregate.throughput.request_rate).toEqual({
        units: 'queries/s',
        mean: throughput.requestsPerSecond,
      });
    } else {
      expect(aggregate.latency).toEqual({});
      expect(aggregate.throughput).toEqual({});
    }
    expect('inter_token_latency' in aggregate.latency).toBe(coalescedShare === 0);
  }
});
