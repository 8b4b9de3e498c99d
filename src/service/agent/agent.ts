import type { Clock } from '../../model/clock.ts';
import type { FinishReason, StreamEvent, UsageEvent } from '../../model/events.ts';
import type { Message } from '../../model/request.ts';
import { gather } from '../../wire/whole-answer.ts';
import { planCalls, runCall, type Tool, type ToolCall } from './tools.ts';
import { askModel, type ModelRequest, type Upstream } from './upstream.ts';

/** One answer of the service: a request to a model, or several with tool calls in between. */
export interface AnswerPlan extends Omit<ModelRequest, 'tools'> {
  upstream: Upstream;
  /** Id of the answer. */
  id: string;
  /** Tools that may be used; none for a plain relay. */
  tools: readonly Tool[];
  /** Most requests to the model. Tool calls in the last response are not run. */
  maxSteps: number;
  clock: Clock;
}

/**
 * The events of an answer: one `start`, one `usage` and one `complete` for any number of requests to the model; `error`
 * alone when the model fails before its first event. A tool that the message clearly needs is run before the first
 * request, so that tools work with models that cannot call any. The calls of the model are run, and their results are sent
 * to it in a further request.
 */
export function answer(plan: AnswerPlan): AsyncIterable<StreamEvent> {
  // Without tools the request is sent now, not when the first event is read: the model works while the caller does the
  // rest of its preparation.
  const events = plan.tools.length === 0 ? askModel(plan.upstream, plan) : answerWithTools(plan);
  return withStart(plan, events);
}

// HOT PATH: runs for every event of the model, so it is no generator, which would add promises to each of them. An answer
// that fails before its first event has no start, so that the failure can still be an HTTP status.
function withStart(
  { id, upstream, model = upstream.model }: AnswerPlan,
  events: AsyncIterable<StreamEvent>,
): AsyncIterable<StreamEvent> {
  const iterator = events[Symbol.asyncIterator]();
  // The relay skips a start that comes later.
  const later = () => iterator.next();
  const held = (event: IteratorResult<StreamEvent>) => async () => {
    next = later;
    return event;
  };
  let next = async (): Promise<IteratorResult<StreamEvent>> => {
    const first = await iterator.next();
    if (first.done || first.value.type === 'error') return first;
    next = first.value.type === 'start' ? later : held(first);
    return { done: false, value: { type: 'start', id, model } };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => next(),
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

/** State of an answer with tools, over all its requests to the model. */
interface Conversation {
  messages: Message[];
  /** Completed steps. */
  steps: number;
  /** The sum over all responses. */
  usage?: UsageEvent;
  /** Tool calls so far; also the index of the next one. */
  calls: number;
}

async function* answerWithTools(plan: AnswerPlan): AsyncGenerator<StreamEvent, void, undefined> {
  const conversation: Conversation = { messages: [...plan.messages], steps: 0, calls: 0 };
  yield* runPlannedCalls(plan, conversation);
  for (let request = 1; ; request++) {
    const firstIndex = conversation.calls;
    const response = yield* relayResponse(plan, conversation);
    if (response === undefined) return;
    const { events, finish, raw } = response;
    const { text, calls } = gather(events);
    const again = calls.length > 0 && request < plan.maxSteps;
    if (again) {
      if (text !== '') conversation.messages.push({ role: 'assistant', content: text });
      for (const { index, id = callId(plan, firstIndex + index), name = '', arguments: args } of calls) {
        yield runToolCall(plan, conversation, { id, name, arguments: args });
      }
    }
    yield { type: 'step_complete', step: ++conversation.steps, data: { kind: 'model', finish } };
    if (again) continue;
    if (conversation.usage !== undefined) yield conversation.usage;
    yield { type: 'complete', finish, raw };
    return;
  }
}

/** Runs the calls that the user's last message clearly needs. */
function* runPlannedCalls(plan: AnswerPlan, conversation: Conversation): Generator<StreamEvent> {
  const { tools } = plan;
  const userText = conversation.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const planned = planCalls(userText, tools, (index) => callId(plan, index));
  if (planned.length === 0) return;
  for (const call of planned) yield { type: 'tool_call', index: conversation.calls++, ...call };
  for (const call of planned) yield runToolCall(plan, conversation, call);
  const data = { kind: 'tools', tools: planned.map(({ name }) => name) };
  yield { type: 'step_complete', step: ++conversation.steps, data };
}

/** The end of one response of the model, with the events that make up its text and its tool calls. */
interface ModelResponse {
  events: readonly StreamEvent[];
  finish: FinishReason;
  raw?: string;
}

/** Sends one request to the model and yields its events. Returns undefined after an `error` event. */
async function* relayResponse(
  plan: AnswerPlan,
  conversation: Conversation,
): AsyncGenerator<StreamEvent, ModelResponse | undefined, undefined> {
  const events: StreamEvent[] = [];
  const firstIndex = conversation.calls;
  let usage: UsageEvent | undefined;
  let end: Pick<ModelResponse, 'finish' | 'raw'> = { finish: 'stop' };
  for await (const event of askModel(plan.upstream, { ...plan, messages: conversation.messages })) {
    switch (event.type) {
      case 'usage':
        usage = event;
        break;
      case 'complete':
        end = event;
        break;
      case 'tool_call': {
        const { id, name, arguments: args } = event;
        const index = firstIndex + event.index;
        conversation.calls = Math.max(conversation.calls, index + 1);
        events.push(event);
        yield { type: 'tool_call', index, id, name, arguments: args };
        break;
      }
      case 'message_chunk':
      case 'answer_start':
        events.push(event);
        yield event;
        break;
      case 'start':
        if (conversation.steps === 0) yield event;
        break;
      case 'error':
        yield event;
        return undefined;
      default:
        yield event;
    }
  }
  // Within a response the last counts replace earlier ones. Each response is paid for.
  if (usage !== undefined) conversation.usage = addUsage(conversation.usage, usage);
  return { events, finish: end.finish, raw: end.raw };
}

function addUsage(before: UsageEvent | undefined, more: UsageEvent): UsageEvent {
  if (before === undefined) return more;
  // A sum is known only if both counts are.
  const sum = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : a + b;
  return {
    type: 'usage',
    inputTokens: sum(before.inputTokens, more.inputTokens),
    outputTokens: sum(before.outputTokens, more.outputTokens),
    reasoningTokens: sum(before.reasoningTokens, more.reasoningTokens),
    cachedInputTokens: sum(before.cachedInputTokens, more.cachedInputTokens),
  };
}

/** Runs a call, adds its result to the messages for the model, and returns the event. */
function runToolCall({ tools, clock }: AnswerPlan, { messages }: Conversation, call: ToolCall): StreamEvent {
  const { id, name, arguments: args } = call;
  const result = runCall(call, tools, { clock });
  // As plain text, which every dialect can carry: providers differ too much in how they want results.
  const content = `The tool ${name}(${args}) answered: ${JSON.stringify(result)}`;
  messages.push({ role: 'system', content });
  return { type: 'tool_result', id, name, result };
}

function callId({ id }: AnswerPlan, index: number): string {
  return `call_${id}_${index}`;
}
