import diagnostics from 'node:diagnostics_channel';

// undici tells when a request has been written only through diagnostics channels, which name the request by an object
// that is made inside `dispatch`. `creating` is set around that synchronous call, so the object can be tied to ours.
let creating: (() => void) | undefined;
const sentCallbacks = new WeakMap<object, () => void>();

diagnostics.subscribe('undici:request:create', (message) => {
  if (creating !== undefined) sentCallbacks.set((message as { request: object }).request, creating);
});
diagnostics.subscribe('undici:request:bodySent', (message) => {
  sentCallbacks.get((message as { request: object }).request)?.();
});

/** Calls `dispatch`, which makes one request of undici's, and `onSent` when that was handed to the kernel, body included. */
export function dispatchWatched(dispatch: () => void, onSent: () => void): void {
  creating = onSent;
  try {
    dispatch();
  } finally {
    creating = undefined;
  }
}
