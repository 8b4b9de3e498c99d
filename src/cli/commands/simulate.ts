import type { AddCommand, CliSession } from '../cli-session.ts';
import { portOption, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { untilStopped } from '../interrupt.ts';

interface SimulateFlags {
  port: number;
  host: string;
  seed: number;
}

export const simulateCommand: AddCommand = (root, open) => {
  const command = root
    .command('simulate')
    .description('run the embedded simulator as a server')
    .addOption(portOption(8089))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(wholeOption('--seed <number>', 'seed of the simulated answers').default(1))
    .action((flags: SimulateFlags) => simulate(flags, open()));
  addExamples(command, {
    words: 'simulate --port 8089',
    does: 'then: streambench probe http://127.0.0.1:8089/sse',
  });
};

async function simulate(flags: SimulateFlags, session: CliSession): Promise<void> {
  const { createSimulator, PROFILES } = await import('../../simulator/index.ts');
  const simulator = createSimulator({ seed: flags.seed, ownThread: true });
  const { url } = await simulator.listen(flags.port, flags.host);
  session.print(`${url}\n`);
  session.say(`OpenAI chat:  ${url}/v1/chat/completions`);
  session.say(`Ollama chat:  ${url}/api/chat`);
  session.say(`plain SSE:    ${url}/sse`);
  session.say(`models:       ${Object.keys(PROFILES).join(', ')}`);
  session.say('Ctrl-C stops the simulator');
  await untilStopped();
  await simulator.close();
}
