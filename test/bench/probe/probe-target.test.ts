import { expect, test } from 'vitest';
import { dialectOf } from '../../../src/bench/probe/probe.ts';

test.each([
  ['https://api.openai.com/v1/chat/completions', 'openai-chat'],
  ['https://example.com/proxy/v1/chat/completions?key=1', 'openai-chat'],
  ['https://api.anthropic.com/v1/messages', 'anthropic'],
  ['http://127.0.0.1:11434/api/chat', 'ollama-chat'],
  ['http://127.0.0.1:11434/api/generate', 'ollama-generate'],
  ['http://127.0.0.1:8080/ndjson', 'ndjson'],
  ['https://stream.wikimedia.org/v2/stream/recentchange', 'sse'],
  ['http://127.0.0.1:8080', 'sse'],
  ['no url', 'sse'],
])('%s speaks %s', (url, dialect) => {
  expect(dialectOf(url)).toBe(dialect);
});
