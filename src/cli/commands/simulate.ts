import type { AddCommand, Session } from '../cli-session.ts';
import { portOption, wholeOption } from '../flags/values.ts';

interface SimulateFlags {
  port: number;
  host: string;
  seed: number;
}

export const simulateCommand: AddCommand = (root, open) => {
  root
    .command('simulate')
    .description('serve the embedded provider alone')
    .addOption(portOption(8089))
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .addOption(wholeOption('--seed <number>', 'the seed of the answers').default(1))
    .action((flags: SimulateFlags) => simulate(flags, open()));
};

async function simulate(flags: SimulateFlags, session: Session): Promise<void> {
  const { createSimulator, PROFILES } = await import('../../simulator/index.ts');
  const simulator = createSimulator({ seed: flags.seed, ownThread: true });
  const { url } = await simulator.listen(flags.port, flags.host);
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
