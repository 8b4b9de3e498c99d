import { absent, figures, json, MODEL, promptFile, type Tool, tokenizerFolder, versionOf } from './tool.ts';

/** The Rust client of the vLLM project. */
export const vllmBench: Tool = {
  name: 'vllm-bench',
  async find() {
    const version = await versionOf('vllm-bench', '--version');
    return version === undefined
      ? absent('vllm-bench', 'build it as github.com/vllm-project/vllm-bench says')
      : { version };
  },
  command({ port, streams, requests, tokens, folder }) {
    const prompts = promptFile(folder, requests);
    return [
      ...['vllm-bench', '--backend', 'openai-chat', '--base-url', `http://127.0.0.1:${port}`],
      ...['--model', MODEL, '--tokenizer', tokenizerFolder(folder)],
      ...['--dataset-name', 'custom', '--dataset-path', prompts, '--custom-output-len', String(tokens)],
      ...['--num-prompts', String(requests), '--max-concurrency', String(streams), '--no-steady-state'],
      ...['--disable-tqdm', '--save-result', '--save-detailed', '--result-dir', folder],
      ...['--result-filename', 'result.json'],
    ];
  },
  read({ folder }) {
    const { completed, ttfts, itls } = json(folder, 'result.json') as {
      completed: number;
      ttfts: number[];
      itls: number[][];
    };
    const ms = (seconds: number) => seconds * 1000;
    return { ok: completed, ttft: figures(ttfts.map(ms)), gap: figures(itls.flat().map(ms)) };
  },
};
