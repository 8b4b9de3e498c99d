// A bare Node.js relay, to compare the service with: it forwards requests and answers byte by byte and reads nothing.
// A process of its own: `fork('relay.mjs', [ORIGIN])`. It sends `{ url }` when it listens, and ends with its parent.
// `/metrics` has its CPU time and memory, as the service's own `/metrics`.

import { readdirSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';

const { hostname, port } = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

function metrics() {
  const { user, system } = process.cpuUsage();
  return [
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    `process_open_fds ${readdirSync('/proc/self/fd').length}\n`,
  ].join('\n');
}

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  if (url.startsWith('/metrics')) return outgoing.end(metrics());
  const forward = request({ hostname, port, method, path: url, headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  forward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => forward.destroy());
  incoming.pipe(forward);
});
// Longer than the pauses of a benchmark: a connection that is closed while it is taken from the pool fails its request.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
process.on('disconnect', () => process.exit());
