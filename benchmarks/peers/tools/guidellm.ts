import { join } from 'node:path';
import { absent, figures, json, MODEL, promptFile, type Tool, versionOf } from './tool.ts';

/** guidellm 0.8 or later. */
export const guidellm: Tool = {
  name: 'guidellm',
  async find() {
    const version = await versionOf('guidellm', '--version');
    return version === undefined ? absent('guidellm', 'pip install guidellm') : { version };
  },
  command: ({ port, streams, requests, folder }) => [
    ...['guidellm', 'run', '--backend', `kind=openai_http,target=http://127.0.0.1:${port},model=${MODEL}`],
    ...['--profile', `kind=concurrent,streams=${streams}`],
    ...['--constraint', `kind=max_requests,count=${requests}`],
    ...['--data', `kind=json_file,path=${promptFile(folder, requests)}`],
    ...['--output', `kind=json,path=${join(folder, 'result.json')}`, '--disable-console'],
  ],
  read({ folder }) {
    const { benchmarks } = json(folder, 'result.json') as {
      benchmarks: { requests: { successful: { time_to_first_token_ms: number }[] } }[];
    };
    const successful = benchmarks.flatMap(({ requests }) => requests.successful);
    // It keeps the mean gap of a request, not the gaps.
    return {
      ok: successful.length,
      ttft: figures(successful.map(({ time_to_first_token_ms: ttft }) => ttft)),
      gap: null,
    };
  },
};
