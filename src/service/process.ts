import { UserError } from '../model/errors.ts';
import type { ProcessReply, ProcessRequest } from './embedded.ts';
import { surviveFaults } from './faults.ts';
import { type InProcessService, startInProcess } from './in-process.ts';

// The process of an embedded service: it is told what to be, and ends when it is told to or when its parent is gone.

let service: InProcessService | undefined;
let ending = false;

const say = (reply: ProcessReply): void => {
  if (process.connected) process.send?.(reply);
};

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await service?.close();
  if (process.connected) process.disconnect();
}

async function start({ options, secret }: Extract<ProcessRequest, { type: 'start' }>): Promise<void> {
  try {
    service = await startInProcess(options, secret);
    surviveFaults(service.reportFault);
    const { url, port } = service;
    say({ type: 'listening', url, port });
  } catch (error) {
    if (error instanceof UserError) {
      say({ type: 'failed', code: error.code, problems: error.problems, exitCode: error.exitCode });
    } else {
      say({ type: 'broken', message: error instanceof Error ? error.message : String(error) });
    }
    await end();
  }
}

process.on('message', (request: ProcessRequest) => {
  switch (request.type) {
    case 'start':
      void start(request);
      break;
    case 'close':
      void end();
      break;
    default:
      request satisfies never;
  }
});
process.on('disconnect', () => void end());
// A terminal's Ctrl-C, and what a supervisor sends, reach every process of a group; when this one ends is its parent's
// decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
