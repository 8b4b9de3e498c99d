import { errorMessage, UserError } from '../model/errors.ts';
import type { ServiceReply, ServiceRequest } from './embedded.ts';
import { type InProcessService, startInProcess } from './in-process.ts';
import { surviveFaults } from './service.ts';

// The process of an embedded service. Its parent sends the settings; it ends at the request or the death of its parent.

let service: InProcessService | undefined;
let stopping = false;

const send = (reply: ServiceReply): void => {
  if (process.connected) process.send?.(reply);
};

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await service?.close();
  if (process.connected) process.disconnect();
}

async function start({ options, secret }: Extract<ServiceRequest, { type: 'start' }>): Promise<void> {
  try {
    service = await startInProcess(options, secret);
    surviveFaults(service.reportFault);
    const { url, port } = service;
    send({ type: 'listening', url, port });
  } catch (error) {
    if (error instanceof UserError) {
      send({ type: 'user-error', code: error.code, problems: error.problems, exitCode: error.exitCode });
    } else {
      send({ type: 'failed', message: errorMessage(error) });
    }
    await stop();
  }
}

process.on('message', (request: ServiceRequest) => {
  switch (request.type) {
    case 'start':
      void start(request);
      break;
    case 'close':
      void stop();
      break;
    default:
      request satisfies never;
  }
});
process.on('disconnect', () => void stop());
// Ctrl-C in a terminal, and the signals of a supervisor, reach every process of the group. The parent decides when this
// one ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
