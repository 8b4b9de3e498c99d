// Builds what a chat page shows from the events of a stream: answer, reasoning, tool calls, token counts, failure.
// The same code works for every dialect: here for OpenAI, Anthropic and Ollama.
//
//     node examples/event-model.mjs

import { createClient } from 'streambench';
import { createSimulator } from 'streambench/simulator';

/**
 * @typedef {object} View
 * @property {string} answer
 * @property {string} thinking
 * @property {{ name: string, arguments: string }[]} calls
 * @property {number} [outputTokens]
 * @property {string} status
 */

/**
 * The next state of the page.
 *
 * @param {View} view
 * @param {import('streambench').StreamEvent} event
 * @returns {View}
 */
function next(view, event) {
  switch (event.type) {
    case 'message_chunk':
      return { ...view, answer: view.answer + event.text };
    case 'thinking':
      return { ...view, thinking: view.thinking + event.text };
    case 'answer_start':
      // The text so far was reasoning.
      return {
        ...view,
        thinking: view.thinking + view.answer.slice(0, view.answer.length - event.strip),
        answer: '',
      };
    case 'tool_call': {
      const calls = [...view.calls];
      const known = calls[event.index] ?? { name: event.name ?? '', arguments: '' };
      calls[event.index] = { ...known, arguments: known.arguments + event.arguments };
      return { ...view, calls };
    }
    case 'usage':
      return { ...view, outputTokens: event.outputTokens };
    case 'complete':
      return { ...view, status: `done (${event.finish})` };
    case 'error':
      return { ...view, status: `failed: ${event.message}` };
    default:
      return view;
  }
}

const simulator = createSimulator({
  profiles: { agent: { tokens: { shape: 'constant', mean: 12, sd: 0 }, thinking: 8, tools: true } },
});
const { url } = await simulator.listen();
try {
  for (const [provider, baseUrl] of Object.entries({
    openai: `${url}/v1`,
    anthropic: `${url}/v1`,
    ollama: url,
  })) {
    const client = createClient({ provider, baseUrl, model: 'agent' });
    /** @type {View} */
    let view = { answer: '', thinking: '', calls: [], status: 'waiting' };
    for await (const event of client.stream({ prompt: 'What is the weather?' })) view = next(view, event);
    client.close();
    console.log(provider, view);
  }
} finally {
  await simulator.close();
}
