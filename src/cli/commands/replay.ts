import type { AddCommand, CliSession } from '../cli-session.ts';
import { portOption, positiveOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';
import { untilStopped } from '../interrupt.ts';

interface ReplayFlags {
  port: number;
  host: string;
  speed: number;
}

export const replayCommand: AddCommand = (root, open) => {
  const command = root
    .command('replay')
    .description('serve a cassette: the recorded responses, at their recorded pace')
    .argument('<cassette>', 'file written by `streambench record`')
    .addOption(portOption(8091))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      positiveOption('--speed <factor>', 'how many times as fast as recorded, such as 2 or 0.5').default(1),
    )
    .action((file: string, flags: ReplayFlags) => replay(file, flags, open()));
  addExamples(
    command,
    {
      words: 'replay glm.cassette --port 8091',
      does: 'then: streambench probe http://127.0.0.1:8091/v1/chat/completions',
    },
    { words: 'replay glm.cassette --speed 10', does: 'ten times as fast' },
  );
};

async function replay(file: string, { port, host, speed }: ReplayFlags, session: CliSession): Promise<void> {
  const { loadCassette } = await import('../../scenario/cassettes.ts');
  const { createReplayServer } = await import('../../simulator/replay-server.ts');
  const cassette = loadCassette(file);
  const server = createReplayServer(cassette, {
    speed,
    ownThread: true,
    onRequest: (request, known) => {
      if (!known) session.warning(`${request}: not in this cassette, answered with 404`);
    },
  });
  const { url } = await server.listen(port, host);
  session.print(`${url}\n`);
  for (const endpoint of server.endpoints) session.say(endpoint.replace(' ', ` ${url}`));
  session.say('Ctrl-C stops the replay');
  await untilStopped();
  await server.close();
}
