// The server of `npm run soak`, in a process of its own: OpenAI chat streams, and a log of what was sent.
// Tells its port by IPC, and its log when it is asked.
import { createServer } from 'node:http';

const [gapMs = 60] = process.argv.slice(2).map(Number);
const event = (delta, finish = null) =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const WORDS = ['one ', 'two ', 'three ', 'four ', 'five '];
const sent = { requests: 0, whole: 0, events: 0, bytes: 0, cut: 0, refused: 0 };

const server = createServer((request, response) => {
  request.resume();
  const number = ++sent.requests;
  // Some requests go wrong, because that is where a client keeps what it should let go.
  if (number % 100 === 0) {
    sent.refused++;
    response.writeHead(503, { 'content-type': 'text/plain' }).end('busy');
    return;
  }
  const cutAt = number % 50 === 0 ? 2 : Number.POSITIVE_INFINITY;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let step = 0;
  const write = (text, events) => {
    sent.events += events;
    sent.bytes += text.length;
    response.write(text);
  };
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer);
    if (step >= cutAt) {
      sent.cut++;
      clearInterval(timer);
      response.socket?.end();
      return;
    }
    if (step < WORDS.length) return write(event({ content: WORDS[step++] }), 1);
    clearInterval(timer);
    write(`${event({}, 'stop')}data: [DONE]\n\n`, 2);
    sent.whole++;
    response.end();
  }, gapMs);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ sent }));
process.on('disconnect', () => process.exit());
