// Measures an endpoint with a protocol of its own: GET, Server-Sent Events, the text inside `data.delta`.
//
//     node examples/own-endpoint.mjs

import { createServer } from 'node:http';
import { createClient } from 'streambench';

// The endpoint. Yours would be somewhere else.
const server = createServer((request, response) => {
  const question = new URL(request.url ?? '/', 'http://localhost').searchParams.get('q') ?? '';
  const words = `You asked: ${question}`.split(' ');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const timer = setInterval(() => {
    const word = words.shift();
    if (word !== undefined)
      return response.write(`data: ${JSON.stringify({ data: { delta: `${word} ` } })}\n\n`);
    clearInterval(timer);
    response.end('data: [DONE]\n\n');
  }, 10);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no port');

const client = createClient({
  baseUrl: `http://127.0.0.1:${address.port}/answer?q={{prompt}}`,
  dialect: 'sse',
  method: 'GET',
  textPath: 'data.delta',
});
const stream = client.stream({ prompt: 'how fast are you?' });
for await (const event of stream) {
  // `atMs` is the arrival; events with the same `read` came in one socket read.
  if (event.type === 'message_chunk')
    console.log(`${event.atMs.toFixed(1).padStart(6)} ms  read ${event.read}  ${event.text}`);
}
const { outcome } = await stream.result;
console.log(outcome.kind);
client.close();
server.close();

// The same from the command line:
//   streambench probe 'http://HOST/answer?q={{prompt}}' --dialect sse --method GET --text-path data.delta
