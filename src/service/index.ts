/**
 * `streambench/service`: a streaming chat service built from this package's own client, event model and dialects. It is
 * a small gateway in front of any model, and the system under test of the package's own benchmarks.
 */

/** Tools of the agents. */
export { TOOLS, type Tool, type ToolContext } from './agent/tools.ts';
/** A model behind the service. */
export type { AnswerMode, Upstream } from './agent/upstream.ts';
/** Choices of the log and of the message store. */
export { LOG_LEVELS, type LogLevel, type Strategy } from './defaults.ts';
/** A service in a process of its own, for benchmarks. */
export {
  type EmbeddedService,
  type EmbeddedServiceOptions,
  startEmbeddedService,
  type UpstreamSettings,
} from './embedded.ts';
/** Makes a bearer token that a service with the same secret accepts. */
export { createToken, type TokenOptions } from './http/auth.ts';
/** The service itself, and how a process that runs nothing else survives faults. */
export { createService, type OnFault, type Service, surviveFaults } from './service.ts';
/** Settings of a service, and of its log. */
export type { LogOptions, ServiceOptions } from './service-options.ts';
/** The price of a model. */
export type { Price } from './usage-cost.ts';
