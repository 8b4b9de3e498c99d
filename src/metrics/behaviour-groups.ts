import { entersFigures, isPlannedCancel } from '../model/behaviour.ts';
import type { RequestRecord } from '../model/record.ts';
import type { BehaviourReport, RetryReport } from '../model/report.ts';
import { type MetricContext, metric } from './definitions.ts';
import { createDistribution, tidy } from './distribution.ts';
import { createMetricGroup } from './record-group.ts';

/** Collects what the clients of a cell did on purpose, and what that cost. */
export interface BehaviourFold {
  /** Adds a final record. */
  add(record: RequestRecord): void;
  /** Absent if every client only read. */
  report(): BehaviourReport | undefined;
}

/** An empty fold for one cell. */
export function createBehaviourFold(context: MetricContext): BehaviourFold {
  const ttft = [metric('ttft')];
  const cancelled = createMetricGroup([...ttft, metric('chunks')], context);
  const slow = createMetricGroup(['ttft', 'gap', 'total'].map(metric), context);
  const afterCancel = createMetricGroup(ttft, context);
  const others = createMetricGroup(ttft, context);
  const counts = { planned: 0, cancelled: 0, ended: 0, slow: 0, slowBytes: 0, slowMs: 0 };
  const resumed = { streams: 0, times: 0, lost: 0, doubled: 0 };
  const outages = createDistribution('ms');
  return {
    add(record) {
      const { behaviour, outcome, marks } = record;
      if (behaviour?.kind === 'cancel') {
        counts.planned += 1;
        if (isPlannedCancel(record)) {
          counts.cancelled += 1;
          cancelled.add(record);
        } else if (outcome.kind === 'ok') counts.ended += 1;
      } else if (behaviour?.kind === 'slow') {
        counts.slow += 1;
        if (outcome.kind === 'ok') {
          slow.add(record);
          counts.slowBytes += record.bytes;
          counts.slowMs += (marks.end ?? marks.started) - (marks.firstByte ?? marks.started);
        }
      } else if (entersFigures(record)) (record.afterCancel ? afterCancel : others).add(record);
      if (record.resumptions !== undefined) {
        resumed.streams += 1;
        resumed.times += record.resumptions.length;
        for (const { outageMs } of record.resumptions) if (outageMs !== undefined) outages.add(outageMs);
      }
      resumed.lost += record.eventIds?.lost ?? 0;
      resumed.doubled += record.eventIds?.doubled ?? 0;
    },
    report() {
      const report: BehaviourReport = {};
      if (counts.planned > 0) {
        report.cancelled = {
          planned: counts.planned,
          cancelled: counts.cancelled,
          ended: counts.ended,
          ...cancelled.report(),
          afterCancel: afterCancel.report(),
          others: others.report(),
        };
      }
      if (counts.slow > 0) {
        const { slowBytes, slowMs } = counts;
        report.slowReaders = {
          ...slow.report(),
          requests: counts.slow,
          bytesPerSecond: slowMs > 0 ? tidy((slowBytes * 1000) / slowMs) : null,
        };
      }
      if (resumed.streams + resumed.lost + resumed.doubled > 0) {
        const summary = outages.summary();
        report.resumed = { ...resumed, outageMs: summary && { p50: summary.p50, max: summary.max } };
      }
      return Object.keys(report).length === 0 ? undefined : report;
    },
  };
}

/** Counts the attempts of a cell's requests. */
export interface RetryFold {
  /** Adds every record. */
  add(record: RequestRecord): void;
  /** Absent in a run without retries. */
  report(): RetryReport | undefined;
}

/** An empty fold for one cell. */
export function createRetryFold(): RetryFold {
  const counts = { attempts: 0, retried: 0, recovered: 0, failed: 0, waitedMs: 0 };
  const causes: Record<string, number> = {};
  return {
    add(record) {
      const { attempt, outcome } = record;
      if (attempt === undefined) return;
      counts.attempts += 1;
      counts.waitedMs += attempt.waitedMs ?? 0;
      if (attempt.retried) {
        const { status } = outcome;
        const cause = status === undefined ? outcome.kind : `${outcome.kind} ${status}`;
        causes[cause] = (causes[cause] ?? 0) + 1;
      } else if (attempt.number > 1) {
        counts.retried += 1;
        if (outcome.kind === 'ok' || isPlannedCancel(record)) counts.recovered += 1;
        else counts.failed += 1;
      }
    },
    report: () =>
      counts.attempts === 0
        ? undefined
        : { ...counts, waitedMs: tidy(counts.waitedMs), causes: { ...causes } },
  };
}
