/** The metric names of inference servers. */

/** Where a value is: a metric, limited to series with these labels. */
export interface MetricSource {
  name: string;
  /** Default: all series. */
  labels?: Readonly<Record<string, string>>;
}

/** An inference server. Of each list of sources, the first metric that is there is used. */
export interface Engine {
  name: string;
  /** Requests that wait. */
  queue: readonly MetricSource[];
  running: readonly MetricSource[];
  /** Share of the KV cache in use, 0 to 1. */
  kvCache: readonly MetricSource[];
  /** Counters of prompt tokens, found in the prefix cache and looked up in it. */
  prefixCache?: readonly { hits: MetricSource; lookups: MetricSource }[];
  /** Histogram of the time to first token, and its unit. */
  ttft?: MetricSource & { unit: 's' | 'ms' };
}

const request = (type: string) => [{ name: 'nv_trt_llm_request_metrics', labels: { request_type: type } }];

/** The servers that are known. Their names for the same thing changed over time: the current one is first. */
export const ENGINES: readonly Engine[] = [
  {
    // docs.vllm.ai/en/stable/usage/metrics; names with gpu_ are of versions before 0.10.
    name: 'vLLM',
    queue: [{ name: 'vllm:num_requests_waiting' }],
    running: [{ name: 'vllm:num_requests_running' }],
    kvCache: [{ name: 'vllm:kv_cache_usage_perc' }, { name: 'vllm:gpu_cache_usage_perc' }],
    prefixCache: [
      {
        hits: { name: 'vllm:prefix_cache_hits_total' },
        lookups: { name: 'vllm:prefix_cache_queries_total' },
      },
      {
        hits: { name: 'vllm:gpu_prefix_cache_hits_total' },
        lookups: { name: 'vllm:gpu_prefix_cache_queries_total' },
      },
    ],
    ttft: { name: 'vllm:time_to_first_token_seconds', unit: 's' },
  },
  {
    // docs.sglang.io/references/production_metrics.html; needs --enable-metrics.
    name: 'SGLang',
    queue: [{ name: 'sglang:num_queue_reqs' }],
    running: [{ name: 'sglang:num_running_reqs' }],
    kvCache: [{ name: 'sglang:token_usage' }],
    prefixCache: [
      { hits: { name: 'sglang:cached_tokens_total' }, lookups: { name: 'sglang:prompt_tokens_total' } },
    ],
    ttft: { name: 'sglang:time_to_first_token_seconds', unit: 's' },
  },
  {
    // huggingface.co/docs/text-generation-inference/reference/metrics; it has no time to first token and no cache.
    name: 'TGI',
    queue: [{ name: 'tgi_queue_size' }],
    running: [{ name: 'tgi_batch_current_size' }],
    kvCache: [],
  },
  {
    // tools/server/README.md of llama.cpp; needs --metrics. Newer versions have no metric of the KV cache.
    name: 'llama.cpp',
    queue: [{ name: 'llamacpp:requests_deferred' }],
    running: [{ name: 'llamacpp:requests_processing' }],
    kvCache: [{ name: 'llamacpp:kv_cache_usage_ratio' }],
  },
  {
    // The TensorRT-LLM backend of Triton. The first response is the first chunk of a stream; it needs --metrics-config
    // histogram_latencies=true, and other models of an ensemble have their own.
    name: 'Triton',
    queue: [...request('waiting'), { name: 'nv_inference_pending_request_count' }],
    running: [...request('scheduled'), ...request('active')],
    kvCache: [{ name: 'nv_trt_llm_kv_cache_block_metrics', labels: { kv_cache_block_type: 'fraction' } }],
    ttft: { name: 'nv_inference_first_response_histogram_ms', unit: 'ms', labels: { model: 'tensorrt_llm' } },
  },
  {
    // trtllm-serve, TensorRT-LLM's own server.
    name: 'TensorRT-LLM',
    queue: [{ name: 'trtllm_num_requests_waiting' }],
    running: [{ name: 'trtllm_num_requests_running' }],
    kvCache: [{ name: 'trtllm_kv_cache_utilization' }],
    ttft: { name: 'trtllm_time_to_first_token_seconds', unit: 's' },
  },
];

/** The servers with the metric by which each is recognised, for messages. */
export function knownEngines(): string {
  return ENGINES.map(({ name, queue: [first] }) => `${name} (${first?.name})`).join(', ');
}

/** All names of an engine as they are in an exposition. */
export function namesOf({ queue, running, kvCache, prefixCache = [], ttft }: Engine): string[] {
  const histogram = ttft === undefined ? [] : ['_bucket', '_sum', '_count'].map((end) => ttft.name + end);
  const sources = [
    ...queue,
    ...running,
    ...kvCache,
    ...prefixCache.flatMap(({ hits, lookups }) => [hits, lookups]),
  ];
  return [...new Set([...sources.map(({ name }) => name), ...histogram])];
}
