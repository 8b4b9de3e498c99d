import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage, UserError } from '../../model/errors.ts';
import { unpack } from './batch.ts';
import { openHub, type TelemetrySettings } from './hub.ts';
import type { TelemetryCommand, TelemetryReply } from './telemetry.ts';

// The thread of a run's telemetry: it aggregates, serves and exports, so that no measuring thread does.

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
const reply = (message: TelemetryReply) => port.postMessage(message);

try {
  const hub = await openHub(workerData as TelemetrySettings, (message) =>
    reply({ kind: 'warning', message }),
  );
  port.on('message', async (command: TelemetryCommand) => {
    if (command.kind === 'close') reply({ kind: 'closed', warnings: await hub.close() });
    else hub.add(command.kind === 'packed' ? unpack(command) : command);
  });
  reply({ kind: 'open', url: hub.url });
} catch (error) {
  // An error loses its class on the way to another thread.
  if (error instanceof UserError) reply({ kind: 'refused', code: error.code, problems: error.problems });
  else reply({ kind: 'refused', code: 'usage', problems: [{ message: errorMessage(error) }] });
}
