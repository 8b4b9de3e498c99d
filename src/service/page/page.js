// The script of the page at `/`. It requests the same answer twice, reads one by `fetch` and one by `EventSource`, and
// shows each chunk when it arrives, with a line on a time strip. Plain browser JavaScript without a library.

/**
 * An event of the service's three dialects, as far as the page shows it.
 * @typedef {{
 *   type?: string, chunk_type?: string, content?: string, message?: string, name?: string, tool_name?: string,
 *   arguments?: unknown, result?: unknown, data?: unknown, step?: number, error?: string | { message: string },
 * }} StreamEvent
 */

/** @typedef {'done' | 'cut' | 'stopped' | 'failed'} EndState */

/**
 * The element with an id. Throws if it does not exist or has another type.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`no ${type.name} has the id ${id}`);
  return element;
}

const form = byId('form', HTMLFormElement);
const tokenInput = byId('token', HTMLInputElement);
const promptInput = byId('prompt', HTMLTextAreaElement);
const endpointSelect = byId('endpoint', HTMLSelectElement);
const bufferInput = byId('buffer', HTMLInputElement);
const delayInput = byId('delay', HTMLInputElement);
const health = byId('health', HTMLElement);

/** @type {Record<string, string>} */
const PATHS = {
  chat: '/chat/stream',
  conversation: '/api/v1/conversations/page/stream',
  agent: '/api/v1/agents/page/chat/lumosai/stream',
  playground: '/api/projects/page/playground/chat/stream/',
};

/** @param {number} ms */
function formatMs(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** One reader of the page: its text, its time strip and its numbers. */
class Pane {
  /** @param {HTMLElement} root */
  constructor(root) {
    /** @private */ this.root = root;
    /** @private */ this.text = this.find('text', HTMLElement);
    /** @private */ this.chips = this.find('chips', HTMLElement);
    /** @private */ this.strip = this.find('strip', SVGElement);
    /** @private */ this.modeSelect = this.find('mode', HTMLSelectElement);
    /** @private */ this.startedAtMs = 0;
    /**
     * @private
     * @type {{ atMs: number, kind: string }[]}
     */
    this.chunks = [];
    /** @private */ this.frame = 0;
  }

  get mode() {
    return this.modeSelect.value;
  }

  start() {
    this.startedAtMs = performance.now();
    this.chunks = [];
    this.text.replaceChildren();
    this.chips.replaceChildren();
    this.setNumber('first', '–');
    this.text.classList.add('open');
    this.root.dataset.state = 'open';
    this.root.dataset.chunks = '0';
    cancelAnimationFrame(this.frame);
    this.animate();
  }

  /** @param {EndState} state */
  end(state) {
    if (this.root.dataset.state !== 'open') return;
    this.root.dataset.state = state;
    this.text.classList.remove('open');
    cancelAnimationFrame(this.frame);
    this.draw();
  }

  /** @param {string} message */
  fail(message) {
    this.addText((this.text.textContent ? '\n' : '') + message, 'error');
    this.end('failed');
  }

  /**
   * Shows the payload of one SSE event. Returns true for the last one.
   * @param {string} data
   */
  take(data) {
    if (data === '[DONE]') {
      this.end('done');
      return true;
    }
    /** @type {StreamEvent} */
    const event = JSON.parse(data);
    switch (event.chunk_type ?? event.type ?? (event.error ? 'error' : '')) {
      case 'message_chunk':
      case 'content':
        this.addChunk(event.content, 'answer');
        return false;
      case 'thinking':
      case 'reasoning':
        this.addChunk(event.content, 'thinking');
        return false;
      case 'answer_start':
        for (const span of this.text.querySelectorAll('.answer')) span.className = 'thinking';
        return false;
      case 'tool_call':
      case 'tool_call_start':
        this.addChip(`${event.name ?? event.tool_name} ${JSON.stringify(event.arguments)}`);
        return false;
      case 'tool_result':
      case 'tool_call_complete':
        this.addChip(`= ${JSON.stringify(event.result)}`);
        return false;
      case 'memory_update':
        this.addChip(`memory ${JSON.stringify(event.data)}`);
        return false;
      case 'step_complete':
        this.addChip(`step ${event.step}`);
        return false;
      case 'complete':
      case 'done':
        this.end('done');
        return true;
      case 'error':
        this.fail(
          event.message ??
            (typeof event.error === 'string' ? event.error : event.error?.message) ??
            'the answer failed',
        );
        return true;
      default:
        return false;
    }
  }

  /**
   * @private
   * @template {Element} T
   * @param {string} name
   * @param {new () => T} type
   * @returns {T}
   */
  find(name, type) {
    const element = this.root.querySelector(`.${name}`);
    if (!(element instanceof type)) throw new Error(`the pane has no ${type.name} with the class ${name}`);
    return element;
  }

  /**
   * @private
   * @param {'first' | 'chunks' | 'rate' | 'total'} name
   * @param {string} value
   */
  setNumber(name, value) {
    this.find(name, HTMLElement).textContent = value;
  }

  /** @private */
  elapsedMs() {
    return performance.now() - this.startedAtMs;
  }

  /** @private */
  animate() {
    this.draw();
    this.frame = requestAnimationFrame(() => this.animate());
  }

  /** @private */
  draw() {
    const elapsedMs = this.elapsedMs();
    const wholeMs = Math.max(elapsedMs, 1);
    const lines = this.chunks.map(({ atMs, kind }) => {
      const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      const x = String((atMs / wholeMs) * 1000);
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: '4', y2: '30', class: kind })) {
        line.setAttribute(name, value);
      }
      return line;
    });
    this.strip.replaceChildren(...lines);
    const count = this.chunks.length;
    const spanMs = elapsedMs - (this.chunks[0]?.atMs ?? elapsedMs);
    this.setNumber('chunks', String(count));
    this.setNumber('total', formatMs(elapsedMs));
    this.setNumber(
      'rate',
      count > 1 && spanMs > 0 ? `${(((count - 1) / spanMs) * 1000).toFixed(0)} /s` : '–',
    );
  }

  /**
   * @private
   * @param {string | undefined} text
   * @param {'answer' | 'thinking'} kind
   */
  addChunk(text, kind) {
    if (!text) return;
    const atMs = this.elapsedMs();
    if (this.chunks.length === 0) this.setNumber('first', formatMs(atMs));
    this.chunks.push({ atMs, kind });
    this.root.dataset.chunks = String(this.chunks.length);
    this.addText(text, kind);
  }

  /**
   * @private
   * @param {string} text
   * @param {string} kind
   */
  addText(text, kind) {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    this.text.append(span);
  }

  /**
   * @private
   * @param {string} text
   */
  addChip(text) {
    const code = document.createElement('code');
    code.textContent = text;
    this.chips.append(code);
  }
}

const fetchPane = new Pane(byId('fetch', HTMLElement));
const sourcePane = new Pane(byId('source', HTMLElement));

/** @param {Pane} pane */
function bodyFor(pane) {
  const buffer = Number(bufferInput.value);
  const delay = Number(delayInput.value);
  return JSON.stringify({
    message: promptInput.value,
    mode: pane.mode,
    emit_memory_updates: true,
    text_buffer_size: buffer > 0 ? buffer : undefined,
    text_delta_delay_ms: delay > 0 ? delay : undefined,
  });
}

/**
 * @param {string} path
 * @param {string} body
 * @param {AbortSignal} signal
 */
async function post(path, body, signal) {
  const response = await fetch(path, {
    method: 'POST',
    body,
    signal,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenInput.value.trim()}` },
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: { message: `HTTP ${response.status}` } }));
  throw new Error(error.message);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {Pane} pane
 * @param {AbortSignal} signal
 */
async function readByFetch(pane, signal) {
  pane.start();
  try {
    const response = await post(PATHS[endpointSelect.value] ?? '', bodyFor(pane), signal);
    if (response.body === null) throw new Error('the response has no body');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const events = (rest + value).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const lines = event.split('\n').filter((line) => line.startsWith('data: '));
        const data = lines.map((line) => line.slice(6)).join('\n');
        if (data !== '') pane.take(data);
      }
    }
    pane.end('cut');
  } catch (error) {
    if (signal.aborted) pane.end('stopped');
    else pane.fail(messageOf(error));
  }
}

/**
 * An EventSource can send neither a header nor a body. It gets a ticket that is valid for one stream.
 * @param {Pane} pane
 * @param {AbortSignal} signal
 */
async function readByEventSource(pane, signal) {
  pane.start();
  try {
    const { url } = await (await post('/chat/tickets', bodyFor(pane), signal)).json();
    const source = new EventSource(url);
    /** @param {EndState} state */
    const close = (state) => {
      source.close();
      pane.end(state);
    };
    signal.addEventListener('abort', () => close('stopped'));
    source.onmessage = ({ data }) => {
      if (pane.take(data)) source.close();
    };
    source.onerror = () => close('cut');
  } catch (error) {
    if (signal.aborted) pane.end('stopped');
    else pane.fail(messageOf(error));
  }
}

/** @type {AbortController | undefined} */
let running;

function send() {
  running?.abort();
  running = new AbortController();
  readByFetch(fetchPane, running.signal);
  readByEventSource(sourcePane, running.signal);
}

async function showHealth() {
  try {
    const state = await (await fetch('/api/v1/health/stream')).json();
    health.className = state.status === 'ok' ? 'up' : 'down';
    const megabytes = Math.round(state.memory_bytes / 1e6);
    health.textContent = `${state.status} · ${state.active_streams} streams · ${megabytes} MB`;
  } catch {
    health.className = 'down';
    health.textContent = 'not reachable';
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
byId('stop', HTMLButtonElement).addEventListener('click', () => running?.abort());
promptInput.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
});

// `#token=TOKEN&prompt=TEXT&run=1` fills the form and sends it.
const parameters = new URLSearchParams(location.hash.slice(1));
const givenToken = parameters.get('token');
if (givenToken !== null) {
  tokenInput.value = givenToken;
  // Out of the address bar, so that the token is not copied with the address.
  history.replaceState(null, '', location.pathname);
}
promptInput.value = parameters.get('prompt') ?? promptInput.value;
setInterval(showHealth, 2000);
showHealth();
if (parameters.has('run')) send();
