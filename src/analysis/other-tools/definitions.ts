import type { RequestRecord } from '../../model/record.ts';
import type { ViewToolName } from '../../model/tool-names.ts';
import { chunkGapsOf } from './chunk-gaps.ts';
import type { ToolDefinitions } from './tool-view.ts';

/** How other tools define their figures, in terms of our marks. All of them count from the call of the HTTP client. */

type Marks = RequestRecord['marks'];

/** From the call of the HTTP client, connecting included; our own times start when the request was sent. */
function since(mark: keyof Marks): (record: RequestRecord) => readonly number[] {
  return ({ marks, cut }) => {
    const at = marks[mark];
    // A stream that was cut as planned has no whole answer.
    if (at === undefined || (cut && mark !== 'firstToken')) return [];
    return [at - marks.started];
  };
}

function contentMs({ marks: { firstToken, lastToken } }: RequestRecord): number | undefined {
  return firstToken === undefined || lastToken === undefined ? undefined : lastToken - firstToken;
}

/** Time per token after the first, where there are more. */
function perLaterToken(record: RequestRecord): readonly number[] {
  const span = contentMs(record);
  const { output } = record.tokens;
  return span === undefined || output === null || output < 2 ? [] : [span / (output - 1)];
}

/** The times of a stream; whole answers have only a latency. */
function ofStreams(values: (record: RequestRecord) => readonly number[]) {
  return (record: RequestRecord) =>
    record.mode === 'streaming' ? values(record) : 'the requests were not streamed';
}

const vllm: ToolDefinitions = {
  name: 'vllm',
  title: 'vllm bench serve',
  version: '0.33.0',
  percentiles: 'linear',
  labels: {
    requests: 'Successful requests',
    failed: 'Failed requests',
    duration: 'Benchmark duration',
    requestRate: 'Request throughput',
    tokenRate: 'Output token throughput',
  },
  metrics: [
    {
      label: 'TTFT',
      unit: 'ms',
      definition: 'first content chunk - call of the HTTP client',
      values: ofStreams(since('firstToken')),
    },
    {
      label: 'TPOT',
      unit: 'ms',
      definition: '(E2EL - TTFT) / (output tokens - 1)',
      values: ofStreams(perLaterToken),
    },
    {
      label: 'ITL',
      unit: 'ms',
      definition: 'between neighbouring content chunks, also of one read',
      values: chunkGapsOf,
    },
    {
      label: 'E2EL',
      unit: 'ms',
      definition: 'last content chunk - call of the HTTP client',
      values: since('lastToken'),
    },
  ],
};

const aiperf: ToolDefinitions = {
  name: 'aiperf',
  title: 'AIPerf',
  version: '0.13.0',
  percentiles: 'linear',
  labels: {
    requests: 'Request Count',
    failed: 'Error Request Count',
    duration: 'Benchmark Duration',
    requestRate: 'Request Throughput',
    tokenRate: 'Output Token Throughput',
  },
  metrics: [
    {
      label: 'Time to First Token',
      unit: 'ms',
      definition: 'first content chunk - call of the HTTP client',
      values: ofStreams(since('firstToken')),
    },
    {
      label: 'Time to Second Token',
      unit: 'ms',
      definition: 'second content chunk - first',
      values: ofStreams(({ secondTokenGap }) => (secondTokenGap === undefined ? [] : [secondTokenGap])),
    },
    {
      label: 'Request Latency',
      unit: 'ms',
      definition: 'last content chunk - call of the HTTP client',
      values: since('lastToken'),
    },
    {
      label: 'Inter Token Latency',
      unit: 'ms',
      definition: '(Request Latency - Time to First Token) / (output tokens - 1)',
      values: ofStreams(perLaterToken),
    },
    {
      label: 'Inter Chunk Latency',
      unit: 'ms',
      definition: 'between neighbouring content chunks, also of one read',
      values: chunkGapsOf,
    },
    {
      label: 'Output Token Throughput Per User',
      unit: '1/s',
      definition: '1 / Inter Token Latency',
      values: ofStreams((record) => perLaterToken(record).flatMap((ms) => (ms > 0 ? [1000 / ms] : []))),
    },
    {
      label: 'Output Sequence Length',
      unit: 'count',
      definition: 'output tokens',
      values: ({ tokens }) => (tokens.output === null ? [] : [tokens.output]),
    },
  ],
};

const guidellm: ToolDefinitions = {
  name: 'guidellm',
  title: 'guidellm',
  version: '0.8.1',
  percentiles: 'rank',
  labels: {
    requests: 'Requests Comp',
    failed: 'Requests Err',
    duration: 'Dur',
    requestRate: 'Requests Per Sec',
    tokenRate: 'Output Tokens Per Sec',
  },
  metrics: [
    {
      label: 'Request Latency',
      unit: 'ms',
      definition: 'end of the response - start of the request',
      values: (record) =>
        record.unobserved?.includes('end')
          ? 'the records do not contain the end of the response'
          : since('end')(record),
    },
    {
      label: 'TTFT',
      unit: 'ms',
      definition: 'first content chunk - start of the request',
      values: ofStreams(since('firstToken')),
    },
    {
      label: 'ITL',
      unit: 'ms',
      definition: '(last content chunk - first) / (output tokens - 1), each request counted by these tokens',
      values: ofStreams(perLaterToken),
      weight: ({ tokens }) => (tokens.output ?? 1) - 1,
    },
    {
      label: 'TPOT',
      unit: 'ms',
      definition:
        '(last content chunk - start of the request) / output tokens, each request counted by its tokens',
      values(record) {
        const { output } = record.tokens;
        return output === null || output === 0 ? [] : since('lastToken')(record).map((ms) => ms / output);
      },
      weight: ({ tokens }) => tokens.output ?? 0,
    },
  ],
};

/** By name. */
export const TOOL_DEFINITIONS: Readonly<Record<ViewToolName, ToolDefinitions>> = { vllm, aiperf, guidellm };
