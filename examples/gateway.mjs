// A gateway from Ollama to the Anthropic protocol, and a question to it. Here the embedded simulator stands in for Ollama.
//
//     node examples/gateway.mjs

import { createServer } from 'node:http';
import { createClient, createGateway } from 'streambench';
import { nodeHandler } from 'streambench/adapters';
import { createSimulator } from 'streambench/simulator';

const simulator = createSimulator();
const { url } = await simulator.listen();

// The gateway. With Ollama itself: createClient({ provider: 'ollama', model: 'llama3.2' }).
const client = createClient({ dialect: 'ollama-chat', baseUrl: url, model: 'instant' });
const gateway = createGateway({ dialect: 'anthropic', client, model: 'instant' });
const server = createServer(nodeHandler(gateway)).listen(0, '127.0.0.1');

// Its caller: the official @anthropic-ai/sdk, or any other client of the protocol.
await new Promise((resolve) => server.once('listening', resolve));
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const caller = createClient({
  dialect: 'anthropic',
  baseUrl: `http://127.0.0.1:${port}/v1`,
  model: 'claude',
});
const stream = caller.stream({ system: 'Be brief.', prompt: 'Why is the sky blue?', maxTokens: 20 });
for await (const event of stream) if (event.type === 'message_chunk') process.stdout.write(event.text);
const { outcome, tokens } = await stream.result;
console.log(`\n${outcome.kind}, ${tokens.output} tokens`);

caller.close();
client.close();
server.close();
await simulator.close();
