// What `kill -9` loses. `streambench serve` is killed while it sends many answers, again and again, and its message store is
// compared with what the clients had received until then.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { createToken } from '../dist/service/index.js';
import { startEmbeddedSimulator } from '../dist/simulator/index.js';

const STREAMS = 50;
const KILLS = 10;
const SECRET = 'the secret of a benchmark, which nobody needs';
const BIN = new URL('../bin/streambench.js', import.meta.url).pathname;

/** Reads one conversation after the other until the connection breaks. Resolves with what was received, by session. */
async function readOn(url, token, stream) {
  const received = new Map();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  for (let turn = 0; ; turn++) {
    const session = `s${stream}.${turn}`;
    const body = JSON.stringify({ message: `Hello ${session}`, session_id: session });
    const answer = { text: '', complete: false };
    try {
      const response = await fetch(`${url}/chat/stream`, { method: 'POST', headers, body });
      received.set(session, answer);
      let sse = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        sse += text;
        const lines = sse.split('\n');
        sse = lines.pop();
        for (const line of lines) {
          if (!line.startsWith('data: {')) continue;
          const event = JSON.parse(line.slice(6));
          if (event.type === 'message_chunk') answer.text += event.content;
          if (event.type === 'complete') answer.complete = true;
        }
      }
    } catch {
      return received;
    }
  }
}

function storedIn(file) {
  const database = new Sqlite(file);
  const sound = database.pragma('integrity_check')[0].integrity_check === 'ok';
  const rows = database.prepare('SELECT session, role, content, partial FROM messages').all();
  database.close();
  const byRole = (role) => new Map(rows.filter((row) => row.role === role).map((row) => [row.session, row]));
  return { sound, users: byRole('user'), answers: byRole('assistant') };
}

/** Kills the service once, at a random moment. Returns what was lost although it was promised. */
async function killOnce(simulatorUrl, file, strategy) {
  const upstream = ['--upstream', 'openai', '--upstream-url', `${simulatorUrl}/v1`, '--model', 'brisk'];
  const args = [BIN, 'serve', '--port', '0', ...upstream, '--db', file, '--strategy', strategy];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, STREAMBENCH_JWT_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const token = await createToken(SECRET);
  const reading = Promise.all(Array.from({ length: STREAMS }, (_, i) => readOn(line.trim(), token, i)));
  await new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 1_000));
  child.kill('SIGKILL');
  const received = new Map((await reading).flatMap((sessions) => [...sessions]));
  await exited;
  const { sound, users, answers } = storedIn(file);
  const lost = { sound, sessions: received.size, complete: 0, messages: 0, answers: 0, texts: 0 };
  for (const [session, { text, complete }] of received) {
    const stored = answers.get(session);
    if (users.get(session)?.content !== `Hello ${session}`) lost.messages++;
    if (complete) lost.complete++;
    if (complete && (stored?.partial !== 0 || stored.content !== text)) lost.answers++;
    if (strategy === 'every-chunk' && !(stored?.content ?? '').startsWith(text)) lost.texts++;
  }
  return lost;
}

/** The sums over all kills: what was received, and what of it was promised and lost. */
export async function measureKills() {
  const steady = (mean) => ({ shape: 'constant', mean, sd: 0 });
  const profile = {
    ttft: steady(20),
    gap: steady(10),
    tokens: { shape: 'normal', mean: 40, sd: 10, min: 5 },
  };
  const simulator = await startEmbeddedSimulator({ profiles: { brisk: profile } });
  const folder = await mkdtemp(join(tmpdir(), 'streambench-kills-'));
  const sum = { kills: KILLS, unsound: 0, sessions: 0, complete: 0, messages: 0, answers: 0, texts: 0 };
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const strategy = kill % 2 === 0 ? 'end' : 'every-chunk';
      const one = await killOnce(simulator.url, join(folder, `${kill}.db`), strategy);
      if (!one.sound) sum.unsound++;
      for (const name of ['sessions', 'complete', 'messages', 'answers', 'texts']) sum[name] += one[name];
    }
  } finally {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  }
  return sum;
}
