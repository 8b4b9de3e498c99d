import type { HrTime } from '@opentelemetry/api';
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  HistogramMetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { GEN_AI_METRICS } from '../../embed/gen-ai.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { BucketCounter } from './bucket-counter.ts';
import type { Attributes } from './gen-ai.ts';
import type { OtelPackages } from './otel-packages.ts';

const { buckets, ...METRIC } = GEN_AI_METRICS.chunk;

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
    const counter = this.counters.get(attributes) ?? new BucketCounter(buckets);
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
