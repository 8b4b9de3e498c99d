import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client/client.ts';
import { headerSecrets, type Secret } from '../model/redaction/secrets.ts';
import type { EmbeddedService, EmbeddedServiceOptions, UpstreamSettings } from './embedded.ts';
import { createService, type Service } from './service.ts';

/** A service that shares this process. */
export type InProcessService = Omit<EmbeddedService, 'token'> & Pick<Service, 'reportFault'>;

// A benchmark sends all its load as one user, and prompts of any size.
const UNLIMITED = { maxStreamsPerUser: 1_000_000, messageLimitBytes: 1024 * 1024 };

/** Starts a service in this process, from settings that are plain data. */
export async function startInProcess(
  options: EmbeddedServiceOptions,
  secret: string,
): Promise<InProcessService> {
  const { port = 0, host = '127.0.0.1', upstreams, database, ...rest } = options;
  const clients: { close(): void }[] = [];
  let folder: string | undefined;
  const cleanUp = async () => {
    for (const client of clients) client.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const connected = upstreams.map(({ client: settings, secrets = [], ...upstream }) => {
      const client = createClient({ unsupportedOptions: 'omit', ...settings });
      clients.push(client);
      return { ...upstream, client, secrets: [...secrets, ...clientSecrets(settings)] };
    });
    let file = database;
    if (file === undefined) {
      folder = await mkdtemp(join(tmpdir(), 'streambench-service-'));
      file = join(folder, 'messages.db');
    }
    const service = createService({ ...UNLIMITED, ...rest, database: file, secret, upstreams: connected });
    const address = await service.listen(port, host);
    return {
      ...address,
      reportFault: service.reportFault,
      async close() {
        await service.close();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** The credentials in a client's settings. */
function clientSecrets({ apiKey, headers = {}, secrets = [] }: UpstreamSettings['client']): Secret[] {
  const key = apiKey === undefined ? [] : [{ name: '[key]', value: apiKey }];
  return [...secrets, ...key, ...headerSecrets(headers)];
}
