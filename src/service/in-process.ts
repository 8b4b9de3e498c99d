import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client/client.ts';
import { headerSecrets, type Secret } from '../model/redaction/secrets.ts';
import type { EmbeddedService, EmbeddedServiceOptions, UpstreamSettings } from './embedded.ts';
import { createService, type Service } from './service.ts';

/** A service that shares this process. */
export type InProcessService = Omit<EmbeddedService, 'token'> & Pick<Service, 'reportFault'>;

// One token is all that a benchmark has, and it sends what it wants to measure.
const UNLIMITED = { maxStreamsPerUser: 1_000_000, messageLimitBytes: 1024 * 1024 };

/** Starts a service in this process, from settings that are data. */
export async function startInProcess(
  options: EmbeddedServiceOptions,
  secret: string,
): Promise<InProcessService> {
  const { port = 0, host = '127.0.0.1', upstreams, database, ...rest } = options;
  const clients: { close(): void }[] = [];
  let folder: string | undefined;
  const leave = async () => {
    for (const client of clients) client.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const connected = upstreams.map(({ client: settings, secrets = [], ...upstream }) => {
      const client = createClient(settings);
      clients.push(client);
      return { ...upstream, client, secrets: [...secrets, ...secretsOf(settings)] };
    });
    if (database === undefined) folder = await mkdtemp(join(tmpdir(), 'streambench-service-'));
    const file = database ?? join(folder!, 'messages.db');
    const service = createService({ ...UNLIMITED, ...rest, database: file, secret, upstreams: connected });
    const address = await service.listen(port, host);
    return {
      ...address,
      reportFault: service.reportFault,
      async close() {
        await service.close();
        await leave();
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** What a client is given to prove who it is. */
function secretsOf({ apiKey, headers = {}, secrets = [] }: UpstreamSettings['client']): Secret[] {
  return [
    ...secrets,
    ...(apiKey === undefined ? [] : [{ name: '[key]', value: apiKey }]),
    ...headerSecrets(headers),
  ];
}
