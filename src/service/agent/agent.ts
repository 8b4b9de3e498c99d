import type { Clock } from '../../model/clock.ts';
import type { FinishReason, StreamEvent, UsageEvent } from '../../model/events.ts';
import type { Message } from '../../model/request.ts';
import { gather } from '../../wire/whole-answer.ts';
import { planCalls, runCall, type Tool, type ToolCall } from './tools.ts';
import { ask, type Question, type Upstream } from './upstream.ts';

/** One answer of the service: a question to a model, or several with tools between them. */
export interface AnswerPlan extends Omit<Question, 'tools'> {
  upstream: Upstream;
  /** Id of the answer. */
  id: string;
  /** Tools that may be used; none for a plain relay. */
  tools: readonly Tool[];
  /** Questions to the model at most: tools that it asks for in its last answer are not run. */
  maxSteps: number;
  clock: Clock;
}

/**
 * The events of an answer: one `start`, one `usage` and one `complete`, however many questions it took; `error` alone when
 * the model fails before it has begun. A message that
 * plainly asks for a tool gets it before the model is asked, so that tools work with models that cannot call any; the
 * calls that a model makes are run, and it is asked again with their results.
 */
export function answer(plan: AnswerPlan): AsyncGenerator<StreamEvent, void, undefined> {
  // Without tools the model is asked here and now, not when the first event is wanted: it thinks while the caller
  // does what else there is to do.
  const events = plan.tools.length === 0 ? ask(plan.upstream, plan) : converse(plan);
  return started(plan, events);
}

function start({ id, upstream, model = upstream.model }: AnswerPlan): StreamEvent {
  return { type: 'start', id, model };
}

// HOT PATH: one step for every event of the model's. An answer that fails before it has begun has no start, so that the
// failure can still be a status.
async function* started(
  plan: AnswerPlan,
  events: AsyncIterable<StreamEvent>,
): AsyncGenerator<StreamEvent, void, undefined> {
  let begun = false;
  for await (const event of events) {
    if (!begun && event.type !== 'error') {
      begun = true;
      yield start(plan);
    }
    if (event.type !== 'start') yield event;
  }
}

async function* converse(plan: AnswerPlan): AsyncGenerator<StreamEvent, void, undefined> {
  const { tools, clock, maxSteps } = plan;
  const messages: Message[] = [...plan.messages];
  let step = 0;
  let calls = 0;
  const callId = (index: number) => `call_${plan.id}_${index}`;
  let usage: UsageEvent | undefined;

  const asked = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const planned = planCalls(asked, tools, callId);
  if (planned.length > 0) {
    for (const call of planned) yield { type: 'tool_call', index: calls++, ...call };
    for (const call of planned) {
      const result = runCall(call, tools, { clock });
      messages.push(resultMessage(call, result));
      yield { type: 'tool_result', id: call.id, name: call.name, result };
    }
    yield {
      type: 'step_complete',
      step: ++step,
      data: { kind: 'tools', tools: planned.map(({ name }) => name) },
    };
  }

  for (let question = 1; ; question++) {
    const events: StreamEvent[] = [];
    const firstIndex = calls;
    let finish: { finish: FinishReason; raw?: string } | undefined;
    for await (const event of ask(plan.upstream, { ...plan, messages })) {
      switch (event.type) {
        case 'start':
          yield event;
          break;
        case 'usage':
          usage = event;
          break;
        case 'complete':
          finish = event;
          break;
        case 'tool_call': {
          const { id, name, arguments: args } = event;
          const index = firstIndex + event.index;
          calls = Math.max(calls, index + 1);
          events.push(event);
          yield { type: 'tool_call', index, id, name, arguments: args };
          break;
        }
        case 'message_chunk':
        case 'answer_start':
          events.push(event);
          yield event;
          break;
        case 'error':
          yield event;
          return;
        default:
          yield event;
      }
    }
    const { text, calls: wanted } = gather(events);
    const again = wanted.length > 0 && question < maxSteps;
    if (again) {
      if (text !== '') messages.push({ role: 'assistant', content: text });
      for (const { index, id = callId(firstIndex + index), name = '', arguments: args } of wanted) {
        const call: ToolCall = { id, name, arguments: args };
        const result = runCall(call, tools, { clock });
        messages.push(resultMessage(call, result));
        yield { type: 'tool_result', id, name, result };
      }
    }
    const { finish: reason = 'stop', raw } = finish ?? {};
    yield { type: 'step_complete', step: ++step, data: { kind: 'model', finish: reason } };
    if (again) continue;
    if (usage !== undefined) yield usage;
    yield { type: 'complete', finish: reason, raw };
    return;
  }
}

// As plain text, which every dialect can carry: the ways in which providers want results back differ too much.
function resultMessage({ name, arguments: args }: ToolCall, result: unknown): Message {
  return { role: 'system', content: `The tool ${name}(${args}) answered: ${JSON.stringify(result)}` };
}
