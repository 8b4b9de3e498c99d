/**
 * `streambench/service`: a streaming chat service built from this package's own client, event model and dialects. It
 * is a small gateway in front of any model, and the system under test of the package's own benchmarks.
 */

/** What an agent can do. */
export { TOOLS, type Tool, type ToolContext } from './agent/tools.ts';
/** A model behind the service. */
export type { AnswerMode, Upstream } from './agent/upstream.ts';
/** A service in a process of its own: what a benchmark wants. */
export {
  type EmbeddedService,
  type EmbeddedServiceOptions,
  startEmbeddedService,
  type UpstreamSettings,
} from './embedded.ts';
/** For a process that is nothing but a service. */
export { type OnFault, surviveFaults } from './faults.ts';
/** Makes a bearer token that a service with the same secret accepts. */
export { createToken, type TokenOptions } from './http/auth.ts';
/** The service itself. */
export { createService, type Service } from './service.ts';
/** Settings of a service, and of its log. */
export { LOG_LEVELS, type LogLevel, type LogOptions, type ServiceOptions } from './service-options.ts';
/** When answers are written into the message store. */
export type { Strategy } from './stream/keeper.ts';
