// A chat server in a process of its own, which writes by hand and keeps the times at which requests arrived. With `endless` as its
// argument a stream gets an event every 20 ms and never ends; else an answer of one event at once. Over IPC: says its port, and
// answers each message with what it saw so far.
import { createServer } from 'node:net';

const endless = process.argv[2] === 'endless';
const arrivals = [];
const open = new Set();
let most = 0;

const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const event = (delta, finish = null) =>
  chunk(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

function answer(socket) {
  socket.write(HEAD + event({ content: 'x' }));
  if (!endless) {
    socket.write(`${event({}, 'stop')}${chunk('data: [DONE]\n\n')}0\r\n\r\n`);
    return;
  }
  open.add(socket);
  most = Math.max(most, open.size);
  const timer = setInterval(() => socket.write(event({ content: 'y' })), 20);
  socket.on('close', () => {
    clearInterval(timer);
    open.delete(socket);
  });
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (data) => {
    const at = performance.now();
    text += data.toString('latin1');
    for (;;) {
      const head = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head === -1 || text.length < head + 4 + length) return;
      text = text.slice(head + 4 + length);
      arrivals.push(at);
      answer(socket);
    }
  });
});

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ arrivals, open: open.size, most }));
process.on('disconnect', () => process.exit());
