import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client/client.ts';
import type { EmbeddedService, EmbeddedServiceOptions } from './embedded.ts';
import { createService } from './service.ts';

/** Starts a service in this process, from settings that are data. */
export async function startHere(
  options: EmbeddedServiceOptions,
  secret: string,
): Promise<Omit<EmbeddedService, 'token'>> {
  const { port = 0, host = '127.0.0.1', upstreams, database, ...rest } = options;
  const clients: { close(): void }[] = [];
  let folder: string | undefined;
  const leave = async () => {
    for (const client of clients) client.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const connected = upstreams.map(({ client: settings, ...upstream }) => {
      const client = createClient(settings);
      clients.push(client);
      return { ...upstream, client };
    });
    if (database === undefined) folder = await mkdtemp(join(tmpdir(), 'streambench-service-'));
    const file = database ?? join(folder!, 'messages.db');
    const service = createService({ ...rest, database: file, secret, upstreams: connected });
    const address = await service.listen(port, host);
    return {
      ...address,
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
