import { UserError } from '../../model/errors.ts';
import type { AddCommand } from '../command.ts';
import type { Session } from '../session.ts';

interface SimulateFlags {
  port: string;
  host: string;
  seed: string;
}

export const simulateCommand: AddCommand = (root, open) => {
  root
    .command('simulate')
    .description('serve the embedded provider alone')
    .option('-p, --port <port>', 'the port to listen on; 0 takes a free one', '8089')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--seed <number>', 'the seed of the answers', '1')
    .action((flags: SimulateFlags) => simulate(flags, open()));
};

async function simulate(flags: SimulateFlags, session: Session): Promise<void> {
  const port = wholeNumber('--port', flags.port, 65_535);
  const seed = wholeNumber('--seed', flags.seed, Number.MAX_SAFE_INTEGER);
  const { createSimulator, PROFILES } = await import('../../simulator/index.ts');
  const simulator = createSimulator({ seed, ownThread: true });
  const { url } = await simulator.listen(port, flags.host);
  session.print(`${url}\n`);
  session.say(`OpenAI chat:  ${url}/v1/chat/completions`);
  session.say(`Ollama chat:  ${url}/api/chat`);
  session.say(`plain SSE:    ${url}/sse`);
  session.say(`models:       ${Object.keys(PROFILES).join(', ')}`);
  session.say('Ctrl-C ends it');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await simulator.close();
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new UserError('usage', { message: `${flag} ${text} is not a whole number from 0 to ${max}` });
}
