import type { Target } from '../model/plan.ts';
import type { ClientOptions } from './client.ts';

/** The options of a client for a target of a plan, apart from what a run decides (time limits, clock, secrets). */
export function targetOptions(target: Target): ClientOptions {
  const { baseUrl, path, dialect, auth, apiKey, headers, requestFields, extra } = target;
  const { textPath, body, method, connect } = target;
  return {
    ...{ baseUrl, path, dialect, auth, apiKey, headers, requestFields, extra },
    ...{ textPath, body, method, connect },
  };
}
