import type { HrTime } from '@opentelemetry/api';
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  HistogramMetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { BucketCounter } from './bucket-counter.ts';
import type { Attributes } from './gen-ai.ts';
import type { OtelPackages } from './otel-packages.ts';

// The chunks of a stream follow each other faster than requests, whose recommended buckets begin at 10 ms.
const SECONDS = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64],
  ...[1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
];

const METRIC = {
  name: 'gen_ai.client.operation.time_per_output_chunk',
  description: 'Time between content events that arrived in different reads.',
  unit: 's',
};

/** What the producer needs of the SDK. */
interface ChunkSettings {
  packages: Pick<OtelPackages, 'api' | 'metrics' | 'resources'>;
  version: string;
  /** Export what was added since the last export, instead of all. */
  isDelta: boolean;
}

/** Produces the histogram of the time per chunk: the values are too many for an instrument of the SDK. */
export class ChunkProducer implements MetricProducer {
  private readonly settings: ChunkSettings;
  private readonly clock: Clock;
  private counters = new Map<Attributes, BucketCounter>();
  private startTime: HrTime;

  constructor(settings: ChunkSettings, clock: Clock = monotonicClock) {
    this.settings = settings;
    this.clock = clock;
    this.startTime = this.now();
  }

  /** Adds gaps in ms. `attributes`: one object for each cell. */
  add(attributes: Attributes, gapsMs: ArrayLike<number>): void {
    if (gapsMs.length === 0) return;
    const counter = this.counters.get(attributes) ?? new BucketCounter(SECONDS);
    this.counters.set(attributes, counter);
    counter.addAll(gapsMs, 0.001);
  }

  collect(): Promise<CollectionResult> {
    const { packages, version, isDelta } = this.settings;
    const { api, metrics, resources } = packages;
    const endTime = this.now();
    const dataPoints = Array.from(this.counters, ([attributes, counter]): DataPoint<Histogram> => {
      const { bounds, counts, sum, count, min, max } = counter;
      const buckets = { boundaries: [...bounds], counts: [...counts] };
      return { startTime: this.startTime, endTime, attributes, value: { buckets, sum, count, min, max } };
    });
    const { DELTA, CUMULATIVE } = metrics.AggregationTemporality;
    const metric: HistogramMetricData = {
      descriptor: { ...METRIC, valueType: api.ValueType.DOUBLE },
      aggregationTemporality: isDelta ? DELTA : CUMULATIVE,
      dataPointType: metrics.DataPointType.HISTOGRAM,
      dataPoints,
    };
    if (isDelta) {
      this.counters = new Map();
      this.startTime = endTime;
    }
    const scopeMetrics =
      dataPoints.length === 0 ? [] : [{ scope: { name: 'streambench', version }, metrics: [metric] }];
    // The reader replaces the resource.
    const resourceMetrics = { resource: resources.emptyResource(), scopeMetrics };
    return Promise.resolve({ resourceMetrics, errors: [] });
  }

  private now(): HrTime {
    const ms = this.clock.wallTime().getTime();
    return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
  }
}
