import type { ProfileInput } from '../../simulator/index.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { pairsOption, portOption, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { untilStopped } from '../interrupt.ts';

interface SimulateFlags {
  port: number;
  host: string;
  seed: number;
  profile: [name: string, cassette: string][];
}

export const simulateCommand: AddCommand = (root, open) => {
  const command = root
    .command('simulate')
    .description('run the embedded simulator as a server')
    .addOption(portOption(8089))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(wholeOption('--seed <number>', 'seed of the simulated answers').default(1))
    .addOption(
      pairsOption(
        '--profile <name=cassette>',
        'model that answers as recorded, such as glm=glm.cassette; repeatable',
        'NAME=CASSETTE',
      ),
    )
    .action((flags: SimulateFlags) => simulate(flags, open()));
  addExamples(command, {
    words: 'simulate --port 8089',
    does: 'then: streambench probe http://127.0.0.1:8089/sse',
  });
};

async function simulate(flags: SimulateFlags, session: CliSession): Promise<void> {
  const { createSimulator, PROFILES } = await import('../../simulator/index.ts');
  const profiles = await recordedProfiles(flags.profile);
  const simulator = createSimulator({ seed: flags.seed, profiles, ownThread: true });
  const { url } = await simulator.listen(flags.port, flags.host);
  session.print(`${url}\n`);
  session.say(`OpenAI chat:  ${url}/v1/chat/completions`);
  session.say(`Ollama chat:  ${url}/api/chat`);
  session.say(`plain SSE:    ${url}/sse`);
  session.say(`models:       ${Object.keys({ ...PROFILES, ...profiles }).join(', ')}`);
  session.say('Ctrl-C stops the simulator');
  await untilStopped();
  await simulator.close();
}

async function recordedProfiles(given: SimulateFlags['profile']): Promise<Record<string, ProfileInput>> {
  if (given.length === 0) return {};
  const { loadCassette } = await import('../../scenario/cassettes.ts');
  const { cassetteProfile } = await import('../../simulator/recorded-script.ts');
  const profiles: Record<string, ProfileInput> = {};
  for (const [name, file] of given) profiles[name] = cassetteProfile(name, loadCassette(file));
  return profiles;
}
