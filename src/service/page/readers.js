// How the page reads streams: by `fetch`, which sends a token and a body, and by `EventSource`, which can send neither. Both
// reconnect when the connection breaks, and continue after the last event that they have received.

/** The path of an endpoint's stream. @type {Record<string, (session: string) => string>} */
const PATHS = {
  chat: () => '/chat/stream',
  conversation: (session) => `/api/v1/conversations/${session}/stream`,
  agent: () => '/api/v1/agents/page/chat/lumosai/stream',
  playground: () => '/api/projects/page/playground/chat/stream/',
};

const RECONNECTS = 5;
const RECONNECT_AFTER_MS = 300;

/** @returns {Record<string, string>} */
function authorization() {
  return { authorization: `Bearer ${tokenInput.value.trim()}` };
}

/** @param {Pane} pane */
function bodyFor(pane) {
  const buffer = Number(bufferInput.value);
  const delay = Number(delayInput.value);
  return JSON.stringify({
    message: promptInput.value,
    session_id: pane.session,
    resumable: true,
    mode: pane.mode,
    emit_memory_updates: true,
    text_buffer_size: buffer > 0 ? buffer : undefined,
    text_delta_delay_ms: delay > 0 ? delay : undefined,
  });
}

/**
 * Sends a request and returns its response. Throws the message of a refusal.
 * @param {string} path
 * @param {RequestInit} init
 */
async function request(path, init) {
  const headers = { 'content-type': 'application/json', ...authorization(), ...init.headers };
  const response = await fetch(path, { ...init, headers });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: { message: `HTTP ${response.status}` } }));
  throw new Refusal(error.message);
}

/** The service has refused a request: it is not sent again. */
class Refusal extends Error {}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Shows the events of a response. Returns true if the last one was among them, else false: the connection has broken.
 * @param {Response} response
 * @param {Pane} pane
 * @param {(id: string) => void} onId
 */
async function showEvents(response, pane, onId) {
  if (response.body === null) throw new Error('the response has no body');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return ended;
    const events = (rest + value).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split('\n');
      const field = (/** @type {string} */ name) =>
        lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
      const data = field('data: ').join('\n');
      if (data !== '') ended = pane.take(data) || ended;
      const id = field('id: ').at(-1);
      if (id !== undefined) onId(id);
    }
  }
}

/**
 * @param {Pane} pane
 * @param {AbortSignal} signal
 */
async function readByFetch(pane, signal) {
  pane.start();
  const path = PATHS[endpointSelect.value]?.(pane.session) ?? '';
  let lastId = '';
  let failures = 0;
  for (;;) {
    try {
      const init =
        lastId === '' ? { method: 'POST', body: bodyFor(pane) } : { headers: { 'last-event-id': lastId } };
      const from = lastId === '' ? path : `/api/v1/streams/${pane.streamId}`;
      const response = await request(from, { ...init, signal });
      pane.streamId = response.headers.get('x-request-id') ?? undefined;
      const ended = await showEvents(response, pane, (id) => {
        lastId = id;
        failures = 0;
      });
      if (ended) return;
      throw new Error('the stream ended early');
    } catch (error) {
      if (signal.aborted) return pane.end('stopped');
      // Without an event nothing can be continued: the question would be asked twice.
      if (error instanceof Refusal || lastId === '') return pane.fail(messageOf(error));
      if (++failures > RECONNECTS) return pane.end('cut');
      pane.reconnecting();
      await pause(RECONNECT_AFTER_MS * failures);
    }
  }
}

/**
 * An EventSource gets a ticket that is valid for one stream. It reconnects by itself, with the same ticket.
 * @param {Pane} pane
 * @param {AbortSignal} signal
 */
async function readByEventSource(pane, signal) {
  pane.start();
  try {
    const { url } = await (
      await request('/chat/tickets', { method: 'POST', body: bodyFor(pane), signal })
    ).json();
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
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) close('cut');
      else pane.reconnecting();
    };
  } catch (error) {
    if (signal.aborted) pane.end('stopped');
    else pane.fail(messageOf(error));
  }
}

/**
 * Cancels the answer in the service: the model stops, and the partial answer is stored. Returns false if there is no
 * stream to cancel.
 * @param {Pane} pane
 */
async function cancel(pane) {
  if (!pane.isOpen || pane.streamId === undefined) return false;
  const path = `/api/v1/streams/${pane.streamId}/cancel`;
  return request(path, { method: 'POST', body: '{}' }).then(
    () => true,
    () => false,
  );
}

/**
 * Shows what the service has stored. The store has the complete answer before its last event is sent.
 * @param {Pane} pane
 */
async function reloadMessages(pane) {
  try {
    const { messages } = await (await request(`/sessions/${pane.session}/messages`, {})).json();
    pane.showMessages(messages);
  } catch {
    // No message is stored when the first request is refused.
  }
}
