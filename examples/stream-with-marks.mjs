// Streams one answer, prints it as it arrives, then prints where the time went.
//
//     node examples/stream-with-marks.mjs                        against the embedded simulator
//     OPENAI_API_KEY=... node examples/stream-with-marks.mjs openai gpt-4o-mini

import { createClient } from 'streambench';
import { createSimulator } from 'streambench/simulator';

const [provider, model] = process.argv.slice(2);
const simulator = provider === undefined ? createSimulator() : undefined;
const address = await simulator?.listen();
const client = createClient({
  provider: provider ?? 'openai',
  baseUrl: address && `${address.url}/v1`,
  model: model ?? 'glm-4-flash',
  apiKey: provider && process.env[`${provider.toUpperCase()}_API_KEY`],
});

try {
  const stream = client.stream({ prompt: 'Why is the sky blue? One sentence.', maxTokens: 24 });
  for await (const event of stream) {
    if (event.type === 'message_chunk') process.stdout.write(event.text);
  }
  const { outcome, marks, gaps } = await stream.result;
  console.log(`\n\n${outcome.kind}${outcome.message === undefined ? '' : `: ${outcome.message}`}`);

  // A mark that is absent did not happen: a refused request has no first token.
  const { sent } = marks;
  for (const name of /** @type {const} */ (['headers', 'firstByte', 'firstToken', 'lastToken', 'end'])) {
    const at = marks[name];
    if (at !== undefined && sent !== undefined)
      console.log(`${name.padEnd(10)} ${(at - sent).toFixed(1)} ms`);
  }
  if (gaps.length > 0) console.log(`longest gap ${Math.max(...gaps).toFixed(1)} ms`);
} finally {
  client.close();
  await simulator?.close();
}
