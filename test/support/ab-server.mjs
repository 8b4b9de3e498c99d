// A build of a server, for `ab` with commands: node ab-server.mjs [--port N] [--delay MS] [--dies-after REQUESTS] [--ignore-sigterm]
import { createServer } from 'node:http';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const port = option('port', Number(process.env.PORT));
const delayMs = option('delay', 0);
const diesAfter = option('dies-after', Number.POSITIVE_INFINITY);
if (process.argv.includes('--ignore-sigterm')) process.on('SIGTERM', () => console.log('SIGTERM ignored'));
let requests = 0;
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(request.url === '/health' ? 200 : 404).end('ok');
    return;
  }
  requests += 1;
  if (requests > diesAfter) {
    console.error('out of memory');
    process.exit(3);
  }
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    setTimeout(() => {
      const chunk = (delta, finish_reason = null) =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
      response.end(`${chunk({ content: 'hello' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    }, delayMs);
  });
});
server.listen(port, '127.0.0.1', () => console.log(`pid ${process.pid}, key ${process.env.SECRET_KEY}`));
