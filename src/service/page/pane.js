// One reader of the page at `/`: it shows each chunk when it arrives, with a line on a time strip, and the stored messages.
// The scripts of the page are plain browser JavaScript without a library. They share one scope.

/**
 * An event of the service's three dialects, as far as the page shows it.
 * @typedef {{
 *   type?: string, chunk_type?: string, id?: string, code?: string, content?: string, message?: string, name?: string, tool_name?: string,
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

/** @param {number} ms */
function formatMs(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** One reader of the page: its text, its time strip and its numbers. */
class Pane {
  /** @param {HTMLElement} root An empty element with the name of the reader as its label. */
  constructor(root) {
    /** @private */ this.root = root;
    const name = root.getAttribute('aria-label') ?? '';
    root.append(byId('pane', HTMLTemplateElement).content.cloneNode(true));
    root.dataset.state = 'idle';
    root.dataset.chunks = '0';
    this.find('name', HTMLElement).textContent = name;
    this.find('transport', HTMLElement).textContent = root.dataset.transport ?? '';
    /** @private */ this.text = this.find('text', HTMLElement);
    /** @private */ this.chips = this.find('chips', HTMLElement);
    /** @private */ this.strip = this.find('strip', SVGElement);
    /** @private */ this.modeSelect = this.find('mode', HTMLSelectElement);
    this.modeSelect.setAttribute('aria-label', `mode of ${name}`);
    /** @private */ this.startedAtMs = 0;
    /**
     * @private
     * @type {{ atMs: number, kind: string }[]}
     */
    this.chunks = [];
    /** @private */ this.frame = 0;
    /** @private */ this.messages = this.find('messages', HTMLElement);
    /** Session in which the messages of this reader are stored. */
    this.session = `page-${root.id}-${crypto.randomUUID?.() ?? Date.now()}`;
    /** Id of the current stream, once it is known. @type {string | undefined} */
    this.streamId = undefined;
    /** Called when the answer has ended. @type {() => void} */
    this.onEnd = () => {};
  }

  get mode() {
    return this.modeSelect.value;
  }

  start() {
    this.streamId = undefined;
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

  /** The connection is broken, and is being opened again. */
  reconnecting() {
    if (this.isOpen) this.root.dataset.state = 'reconnecting';
  }

  get isOpen() {
    return this.root.dataset.state === 'open' || this.root.dataset.state === 'reconnecting';
  }

  /** @param {EndState} state */
  end(state) {
    if (!this.isOpen) return;
    this.root.dataset.state = state;
    this.onEnd();
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
    if (this.root.dataset.state === 'reconnecting') this.root.dataset.state = 'open';
    if ((event.chunk_type ?? event.type) === 'start') this.streamId = event.id;
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
        if (event.code === 'cancelled') {
          this.end('stopped');
          return true;
        }
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
   * Shows the stored messages of the session.
   * @param {{ role: string, content: string, reason?: string }[]} messages
   */
  showMessages(messages) {
    const items = messages.map(({ role, content, reason }) => {
      const item = document.createElement('li');
      item.dataset.role = role;
      const name = document.createElement('b');
      name.textContent = reason === undefined ? role : `${role} (${reason})`;
      item.append(name, ` ${content}`);
      return item;
    });
    this.messages.replaceChildren(...items);
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
