// A service that measures the client library it already uses, and serves the metrics to Prometheus.
//
//     node examples/measured-service.mjs             sends requests to the embedded simulator, prints the metrics, ends
//     node examples/measured-service.mjs 9464        serves them at http://127.0.0.1:9464/metrics until Ctrl-C
//
// With the openai package: new OpenAI({ fetch }).

import { createServer } from 'node:http';
import * as promClient from 'prom-client';
import { measuredFetch } from 'streambench';
import { prometheusRecorder } from 'streambench/prometheus';
import { createSimulator } from 'streambench/simulator';

// The service, in ten lines.
const fetch = measuredFetch({ onObservation: prometheusRecorder(promClient) });
const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', promClient.register.contentType);
    response.end(await promClient.register.metrics());
    return;
  }
  const answer = await ask(fetch);
  response.end(answer);
});

const simulator = createSimulator();
const { url } = await simulator.listen();

/**
 * What the service does with a model: any client library that takes a `fetch`.
 * @param {typeof globalThis.fetch} send
 */
async function ask(send) {
  const body = {
    model: 'instant',
    stream: true,
    messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  };
  const response = await send(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
  return response.text();
}

const [port] = process.argv.slice(2);
await new Promise((resolve) => server.listen(Number(port ?? 0), '127.0.0.1', () => resolve(undefined)));
const address = /** @type {import('node:net').AddressInfo} */ (server.address());
const own = `http://127.0.0.1:${address.port}`;
if (port === undefined) {
  for (let i = 0; i < 3; i++) await (await globalThis.fetch(own)).text();
  const metrics = await (await globalThis.fetch(`${own}/metrics`)).text();
  console.log(
    metrics
      .split('\n')
      .filter((line) => /(_sum|_count)\{/.test(line))
      .join('\n'),
  );
  server.close();
  server.closeAllConnections();
  await simulator.close();
} else {
  console.log(`${own}/metrics; each request to ${own} asks the simulator`);
}
