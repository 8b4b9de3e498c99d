// Starts the reference chat service in this process, in front of the simulator, and chats with it over HTTP.
//
//     node examples/embed-service.mjs

import { randomBytes } from 'node:crypto';
import { createClient } from 'streambench';
import { createService, createToken } from 'streambench/service';
import { createSimulator } from 'streambench/simulator';

const simulator = createSimulator();
const { url } = await simulator.listen();
const model = createClient({ provider: 'openai', baseUrl: `${url}/v1` });

const secret = randomBytes(32).toString('hex');
const service = createService({
  secret,
  upstreams: [{ name: 'simulator', model: 'instant', client: model }],
});
const { url: base } = await service.listen();

const headers = { authorization: `Bearer ${await createToken(secret, { subject: 'ada' })}` };
const response = await fetch(`${base}/chat/stream`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ message: 'Hello', session_id: 's1', max_tokens: 8 }),
});
for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? [])
  process.stdout.write(text);

const history = await fetch(`${base}/sessions/s1/messages`, { headers });
console.log(await history.json());

await service.close();
model.close();
await simulator.close();
