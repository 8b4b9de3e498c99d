/**
 * What the page at `/` does: it asks for the same answer twice, once read by `fetch` and once by `EventSource`, and
 * shows each piece as it comes, with a mark on a time line. It is plain browser JavaScript without any library.
 */
export const PAGE_SCRIPT = String.raw`
'use strict';
const byId = (id) => document.getElementById(id);
const wishes = new URLSearchParams(location.hash.slice(1));
const token = () => byId('token').value.trim();
const PATHS = {
  chat: '/chat/stream',
  conversation: '/api/v1/conversations/page/stream',
  agent: '/api/v1/agents/page/chat/lumosai/stream',
  playground: '/api/projects/page/playground/chat/stream/',
};

function createPane(root) {
  const find = (name) => root.querySelector('.' + name);
  const text = find('text');
  let startedAt = 0;
  let chunks = 0;
  let firstAt;
  let marks = [];
  const ms = (value) => (value === undefined ? '–' : value < 1000 ? Math.round(value) + ' ms' : (value / 1000).toFixed(2) + ' s');
  const now = () => performance.now() - startedAt;
  const draw = () => {
    const whole = Math.max(now(), 1);
    find('strip').replaceChildren(...marks.map(({ at, kind }) => {
      const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      const x = (at / whole) * 1000;
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: 4, y2: 30, class: kind })) line.setAttribute(name, value);
      return line;
    }));
    find('chunks').textContent = chunks;
    find('total').textContent = ms(now());
    const span = firstAt === undefined ? 0 : now() - firstAt;
    find('rate').textContent = chunks > 1 && span > 0 ? ((chunks - 1) / span * 1000).toFixed(0) + ' /s' : '–';
  };
  let frame = 0;
  const animate = () => { draw(); frame = requestAnimationFrame(animate); };
  const add = (value, kind) => {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = value;
    text.append(span);
  };
  const chip = (value) => {
    const code = document.createElement('code');
    code.textContent = value;
    find('chips').append(code);
  };
  const content = (value, kind) => {
    if (!value) return;
    const at = now();
    if (firstAt === undefined) { firstAt = at; find('first').textContent = ms(at); }
    chunks++;
    root.dataset.chunks = chunks;
    marks.push({ at, kind });
    add(value, kind);
  };
  return {
    mode: () => find('mode').value,
    start() {
      startedAt = performance.now();
      chunks = 0; firstAt = undefined; marks = [];
      text.replaceChildren(); find('chips').replaceChildren();
      find('first').textContent = '–';
      text.classList.add('open');
      root.dataset.state = 'open'; root.dataset.chunks = 0;
      cancelAnimationFrame(frame); animate();
    },
    end(state) {
      if (root.dataset.state !== 'open') return;
      root.dataset.state = state;
      text.classList.remove('open');
      cancelAnimationFrame(frame); draw();
    },
    fail(message) { add((text.textContent ? '\n' : '') + message, 'error'); this.end('failed'); },
    /** Takes the payload of one SSE event; true when it was the last. */
    take(data) {
      if (data === '[DONE]') { this.end('done'); return true; }
      const event = JSON.parse(data);
      const kind = event.chunk_type ?? event.type ?? (event.error ? 'error' : '');
      switch (kind) {
        case 'message_chunk': case 'content': content(event.content, 'answer'); return false;
        case 'thinking': case 'reasoning': content(event.content, 'thinking'); return false;
        case 'answer_start':
          for (const span of text.querySelectorAll('.answer')) span.className = 'thinking';
          return false;
        case 'tool_call': case 'tool_call_start':
          chip((event.name ?? event.tool_name) + ' ' + JSON.stringify(event.arguments)); return false;
        case 'tool_result': case 'tool_call_complete': chip('= ' + JSON.stringify(event.result)); return false;
        case 'memory_update': chip('memory ' + JSON.stringify(event.data)); return false;
        case 'step_complete': chip('step ' + event.step); return false;
        case 'complete': case 'done': this.end('done'); return true;
        case 'error': this.fail(event.message ?? event.error.message); return true;
        default: return false;
      }
    },
  };
}

const panes = { fetch: createPane(byId('fetch')), source: createPane(byId('source')) };

function bodyOf(pane) {
  const body = { message: byId('prompt').value, mode: pane.mode(), emit_memory_updates: true };
  if (byId('buffer').value > 0) body.text_buffer_size = Number(byId('buffer').value);
  if (byId('delay').value > 0) body.text_delta_delay_ms = Number(byId('delay').value);
  return JSON.stringify(body);
}

async function post(path, body, signal) {
  const response = await fetch(path, {
    method: 'POST', body, signal,
    headers: { 'content-type': 'application/json', authorization: 'Bearer ' + token() },
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: { message: 'HTTP ' + response.status } }));
  throw new Error(error.message);
}

async function readByFetch(pane, signal) {
  pane.start();
  try {
    const response = await post(PATHS[byId('endpoint').value], bodyOf(pane), signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const events = (rest + value).split('\n\n');
      rest = events.pop();
      for (const event of events) {
        const data = event.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
        if (data !== '') pane.take(data);
      }
    }
    pane.end('cut');
  } catch (error) {
    if (signal.aborted) pane.end('stopped'); else pane.fail(error.message);
  }
}

// An EventSource can send neither a header nor a body: it is given a ticket that is good for one stream.
async function readByEventSource(pane, signal) {
  pane.start();
  try {
    const { url } = await (await post('/chat/tickets', bodyOf(pane), signal)).json();
    const source = new EventSource(url);
    const close = (state) => { source.close(); pane.end(state); };
    signal.addEventListener('abort', () => close('stopped'));
    source.onmessage = ({ data }) => { if (pane.take(data)) source.close(); };
    source.onerror = () => close('cut');
  } catch (error) {
    if (signal.aborted) pane.end('stopped'); else pane.fail(error.message);
  }
}

let running;
function send() {
  running?.abort();
  running = new AbortController();
  readByFetch(panes.fetch, running.signal);
  readByEventSource(panes.source, running.signal);
}

async function showHealth() {
  const health = byId('health');
  try {
    const state = await (await fetch('/api/v1/health/stream')).json();
    health.className = state.status === 'ok' ? 'up' : 'down';
    health.textContent = state.status + ' · ' + state.active_streams + ' streams · ' + Math.round(state.memory_bytes / 1e6) + ' MB';
  } catch {
    health.className = 'down';
    health.textContent = 'not reachable';
  }
}

byId('form').addEventListener('submit', (event) => { event.preventDefault(); send(); });
byId('stop').addEventListener('click', () => running?.abort());
byId('prompt').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
});
if (wishes.has('token')) {
  byId('token').value = wishes.get('token');
  // Not to be left where it is copied with the address.
  history.replaceState(null, '', location.pathname);
}
if (wishes.has('prompt')) byId('prompt').value = wishes.get('prompt');
setInterval(showHealth, 2000);
showHealth();
if (wishes.has('run')) send();
`;
