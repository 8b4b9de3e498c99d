import type { BodyListeners } from './body-reader.ts';

/** What a listener has thrown, as `cause`: no fault of the response or of its reader. */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';

  constructor(cause: unknown) {
    super('a listener threw', { cause });
  }
}

/** The same listeners; what they throw comes as a `ListenerError`. */
export function guardListeners({ onEvents, onBytes, originAt }: BodyListeners): BodyListeners {
  return {
    onEvents: onEvents && guarded(onEvents),
    onBytes: onBytes && guarded(onBytes),
    originAt,
  };
}

function guarded<Args extends unknown[]>(listener: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      throw new ListenerError(error);
    }
  };
}
