import type { ConnectOptions, Target } from '../model/plan.ts';
import { DEFAULT_BATCH, type ServiceSettings } from './schema/service.ts';
import type { ScenarioTarget } from './schema/target.ts';

/** The processes of the reference service, and the endpoints that are measured. */

/** The settings of a process. The others are those of a request. */
type ProcessField = 'strategy' | 'everyChars' | 'checkpoint' | 'answerCache' | 'connectionLimit' | 'upstream';

/** One process of the service, and its targets. */
export interface ServiceProcess {
  settings: Pick<ServiceSettings, ProcessField>;
  targets: string[];
}

/** The processes that a run needs. Targets that differ only in request fields share one. */
export function serviceProcesses(targets: readonly ScenarioTarget[]): ServiceProcess[] {
  const processes = new Map<string, ServiceProcess>();
  for (const { name, service } of targets) {
    if (service === undefined) continue;
    const { strategy, everyChars, checkpoint, answerCache, connectionLimit, upstream } = service;
    const settings = { strategy, everyChars, checkpoint, answerCache, connectionLimit, upstream };
    const key = JSON.stringify(settings);
    const process = processes.get(key) ?? { settings, targets: [] };
    process.targets.push(name);
    processes.set(key, process);
  }
  return [...processes.values()];
}

/** The address of an embedded service, and its token. */
export interface ServiceAddress {
  /** Without a path, such as `http://127.0.0.1:40124`. */
  url: string;
  token: string;
}

const ENDPOINTS: Readonly<Record<ServiceSettings['endpoint'], { path: string; dialect: string }>> = {
  conversation: { path: '/api/v1/conversations/bench/stream', dialect: 'conversation' },
  agent: { path: '/api/v1/agents/bench/chat/lumosai/stream', dialect: 'agent' },
  playground: { path: '/api/projects/bench/playground/chat/stream/', dialect: 'playground' },
  chat: { path: '/chat/stream', dialect: 'conversation' },
  batch: { path: '/chat/batch', dialect: 'conversation' },
};

/** The endpoint of a target with `service`. */
export function serviceTarget(
  { name, headers = {}, extra, maxTokens }: ScenarioTarget,
  service: ServiceSettings,
  { url, token }: ServiceAddress,
  connect: ConnectOptions | undefined,
): Target {
  const { path, dialect } = ENDPOINTS[service.endpoint];
  const asked = {
    // `real` is the default of the service.
    mode: service.mode === 'real' ? undefined : service.mode,
    text_buffer_size: service.textBufferSize,
    text_delta_delay_ms: service.textDeltaDelay,
    emit_metadata: service.emitMetadata,
    emit_memory_updates: service.emitMemoryUpdates,
    ...extra,
  };
  return {
    name,
    provider: 'service',
    dialect,
    baseUrl: url + path,
    auth: 'bearer',
    apiKey: token,
    headers,
    maxTokens,
    extra: asked,
    body: service.endpoint === 'batch' ? batchBody(service, asked) : undefined,
    connect,
  };
}

/** The body of a batch, with placeholders. Its prompts are numbered, so that no two of them are the same. */
function batchBody({ batch = DEFAULT_BATCH }: ServiceSettings, fields: object): string {
  const { prompts, concurrency } = batch;
  const all = Array.from({ length: prompts }, (_, i) => `{{prompt}} (${i + 1} of ${prompts})`);
  return JSON.stringify({ prompts: all, concurrency, max_tokens: '{{maxTokens}}', ...fields });
}
