// The page at `/`. It requests the same answer twice: one is read by `fetch`, one by `EventSource`.

const form = byId('form', HTMLFormElement);
const tokenInput = byId('token', HTMLInputElement);
const promptInput = byId('prompt', HTMLTextAreaElement);
const endpointSelect = byId('endpoint', HTMLSelectElement);
const bufferInput = byId('buffer', HTMLInputElement);
const delayInput = byId('delay', HTMLInputElement);
const health = byId('health', HTMLElement);

const fetchPane = new Pane(byId('fetch', HTMLElement));
const sourcePane = new Pane(byId('source', HTMLElement));
for (const pane of [fetchPane, sourcePane]) pane.onEnd = () => reloadMessages(pane);

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
    const streams = `${state.active_streams} ${state.active_streams === 1 ? 'stream' : 'streams'}`;
    health.textContent = `${state.status} · ${streams} · ${megabytes} MB`;
  } catch {
    health.className = 'down';
    health.textContent = 'not reachable';
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
/** Cancels both answers. What cannot be cancelled in the service is at least not read any further. */
async function stop() {
  const reading = running;
  const cancelled = await Promise.all([cancel(fetchPane), cancel(sourcePane)]);
  if (cancelled.includes(false)) reading?.abort();
}

byId('stop', HTMLButtonElement).addEventListener('click', stop);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
});
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
