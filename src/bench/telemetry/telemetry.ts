import { Worker } from 'node:worker_threads';
import type { OpenWindow } from '../../engine/block.ts';
import { type ErrorCode, type Problem, UserError } from '../../model/errors.ts';
import type { RunObserver } from '../run/run.ts';
import { type PackedBatch, pack } from './batch.ts';
import { openHub, type TelemetryEvent, type TelemetrySettings } from './hub.ts';
import { sampler, type TelemetrySample } from './sample.ts';

export type { TelemetrySettings } from './hub.ts';

/** The telemetry of one or more runs, one after another. */
export interface Telemetry {
  /** Where the metrics are served, with `--prometheus`. */
  readonly url: string | undefined;
  /** Receives the events of the runs. */
  readonly observer: RunObserver;
  /** Exports what is left. Resolves with warnings about data that could not be exported. */
  close(): Promise<string[]>;
}

/** A message to the telemetry thread. */
export type TelemetryCommand = Exclude<TelemetryEvent, { kind: 'batch' }> | PackedBatch | { kind: 'close' };

/** A message from the telemetry thread. */
export type TelemetryReply =
  | { kind: 'open'; url: string | undefined }
  | { kind: 'refused'; code: ErrorCode; problems: readonly Problem[] }
  | { kind: 'warning'; message: string }
  | { kind: 'closed'; warnings: string[] };

// Passing a message costs time on the measuring loop: samples are collected for this long.
const BATCH_MS = 250;

/**
 * Opens the telemetry before anything is sent. Rejects with a `UserError` where a port is taken or the OpenTelemetry SDK is not
 * installed. `warn` receives the first failed export.
 */
export async function openTelemetry(
  settings: TelemetrySettings,
  warn: (message: string) => void,
): Promise<Telemetry> {
  // A thread needs the compiled file.
  const hub = import.meta.url.endsWith('.ts') ? openHub(settings, warn) : hubInThread(settings, warn);
  const { url, add, close } = await hub;
  const batches = new Batches(add);
  return {
    url,
    observer: observerOf(batches, add),
    async close() {
      batches.flush();
      return close();
    },
  };
}

/** Collects samples and warm-ups, and passes them on four times a second. */
class Batches {
  window: OpenWindow | undefined;
  private samples: TelemetrySample[] = [];
  private warmups = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly add: (event: TelemetryEvent) => void;

  constructor(add: (event: TelemetryEvent) => void) {
    this.add = add;
  }

  start(): void {
    this.timer ??= setInterval(() => this.flush(), BATCH_MS).unref();
  }

  sample(sample: TelemetrySample): void {
    this.samples.push(sample);
  }

  warmedUp(): void {
    this.warmups++;
  }

  flush(): void {
    const { samples, warmups } = this;
    this.samples = [];
    this.warmups = 0;
    this.add({ kind: 'batch', samples, warmups, utilization: this.window?.utilization() });
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.flush();
    this.window = undefined;
  }
}

function observerOf(batches: Batches, add: (event: TelemetryEvent) => void): RunObserver {
  let sampleOf: ReturnType<typeof sampler> = () => undefined;
  return {
    started(run) {
      sampleOf = sampler(run.cells);
      add({ kind: 'run', run });
      batches.start();
    },
    windowOpened(window, block) {
      batches.flush();
      batches.window = window;
      add({ kind: 'window', cell: block.cell, counts: window.counts });
    },
    stored(record) {
      const sample = sampleOf(record);
      if (sample !== undefined) batches.sample(sample);
    },
    warmedUp: () => batches.warmedUp(),
    ended() {
      batches.end();
      add({ kind: 'end' });
    },
  };
}

interface RemoteHub {
  url: string | undefined;
  add(event: TelemetryEvent): void;
  close(): Promise<string[]>;
}

async function hubInThread(settings: TelemetrySettings, warn: (message: string) => void): Promise<RemoteHub> {
  const worker = new Worker(new URL('./telemetry-worker.js', import.meta.url), { workerData: settings });
  let closed: (warnings: string[]) => void = () => {};
  let lost: string | undefined;
  const url = await new Promise<string | undefined>((resolve, reject) => {
    worker.on('message', (reply: TelemetryReply) => {
      switch (reply.kind) {
        case 'open':
          resolve(reply.url);
          break;
        case 'refused':
          reject(new UserError(reply.code, reply.problems));
          break;
        case 'warning':
          warn(reply.message);
          break;
        case 'closed':
          closed(reply.warnings);
          break;
        default:
          reply satisfies never;
      }
    });
    worker.on('error', (error) => {
      lost = `the telemetry thread died (${error.message}): no telemetry is exported from here on`;
      warn(lost);
      closed([]);
      reject(error);
    });
  }).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  // It must not keep the process alive.
  worker.unref();
  return {
    url,
    add(event) {
      if (event.kind !== 'batch') return worker.postMessage(event satisfies TelemetryCommand);
      const packed = pack(event);
      worker.postMessage(packed satisfies TelemetryCommand, [packed.gaps.buffer]);
    },
    async close() {
      if (lost !== undefined) return [];
      const warnings = await new Promise<string[]>((resolve) => {
        closed = resolve;
        worker.ref();
        worker.postMessage({ kind: 'close' } satisfies TelemetryCommand);
      });
      await worker.terminate();
      return warnings;
    },
  };
}
