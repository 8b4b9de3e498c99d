/** Where faults are told of, such as a service's log. */
export type OnFault = (kind: 'uncaughtException' | 'unhandledRejection', fault: unknown) => void;

/**
 * Keeps this process alive when something throws where nobody catches it, and calls `onFault`. For a process that answers
 * many people at once: a fault that was raised for one of them is not to end the answers of all others. What a request
 * holds is freed by its own time limits. Returns a function that puts things back as they were.
 */
export function surviveFaults(onFault: OnFault): () => void {
  const onException = (fault: unknown) => tell('uncaughtException', fault);
  const onRejection = (fault: unknown) => tell('unhandledRejection', fault);
  const tell: OnFault = (kind, fault) => {
    // A log that nobody reads any more must not report that to itself for ever.
    if ((fault as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') return;
    try {
      onFault(kind, fault);
    } catch {
      // The log itself has failed. There is nowhere left to say so.
    }
  };
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}
