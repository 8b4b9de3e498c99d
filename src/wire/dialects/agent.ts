import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { AppDecoder, appDialect, readCounts, writeCounts } from '../app-protocol.ts';
import { finishWord } from '../chat-fields.ts';
import type { Dialect } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asObject, asText, type Json } from '../json.ts';
import { argumentsValue, CallBuffer } from '../whole-answer.ts';

// An agent that runs its tools itself: `{"chunk_type":"content","content":"..."}`. A call is sent whole, its result follows
// as `tool_call_complete`. `done` ends the stream and has the elapsed time.

const PATH = /(\/agent|\/agents\/[^/]+\/chat\/[^/]+(\/stream)?)$/;

const BASE = appDialect(PATH);

/** The stream of `/agents/{id}/chat/{service}/stream`; without `/stream` the answer comes whole. */
export const agent: Dialect = {
  ...BASE,
  name: 'agent',
  title: 'application: {"chunk_type":"content"|"tool_call_start"|...} (SSE)',
  carries: new Set([
    'start',
    'message_chunk',
    'thinking',
    'tool_call',
    'tool_result',
    'step_complete',
    'memory_update',
    'metadata',
    'usage',
    'complete',
    'error',
  ]),

  parseRequest(request) {
    const chat = BASE.parseRequest(request);
    const whole = request.path.includes('/agents/') && !request.path.endsWith('/stream');
    return chat === undefined || !whole ? chat : { ...chat, stream: false };
  },

  decoder: () => new AgentDecoder(),

  encoder(context) {
    const calls = new CallBuffer();
    let steps = 0;
    let usage: UsageEvent | undefined;
    const frame = (chunkType: string, more: Json): Frame => ({
      data: JSON.stringify({ chunk_type: chunkType, ...more }),
    });
    return (event) => {
      const frames = calls.take(event).map((call) =>
        frame('tool_call_start', {
          tool_call_id: call.id ?? `call_${call.index}`,
          tool_name: call.name,
          arguments: argumentsValue(call.arguments),
        }),
      );
      switch (event.type) {
        case 'start':
          frames.push(frame('start', { id: context.id, agent_id: context.agentId, model: context.model }));
          break;
        case 'message_chunk':
          frames.push(frame('content', { content: event.text }));
          break;
        case 'thinking':
          frames.push(frame('thinking', { content: event.text }));
          break;
        case 'tool_result':
          frames.push(
            frame('tool_call_complete', {
              tool_call_id: event.id,
              tool_name: event.name,
              result: event.result,
            }),
          );
          break;
        case 'step_complete':
          steps++;
          frames.push(frame('step_complete', { step: event.step ?? steps, data: event.data }));
          break;
        case 'memory_update':
        case 'metadata':
          frames.push(frame(event.type, { data: event.data }));
          break;
        case 'usage':
          usage = event;
          break;
        case 'complete':
          frames.push(
            frame('done', {
              elapsed_ms: context.elapsedMs?.() ?? 0,
              total_steps: Math.max(1, steps),
              finish_reason: finishWord({}, event),
              usage: writeCounts(usage),
            }),
          );
          break;
        case 'error':
          // Some clients read `message`, others the text where all their other events have it.
          frames.push(
            frame('error', { message: event.message, code: event.code, data: { content: event.message } }),
          );
          break;
        default:
          break;
      }
      return frames;
    };
  },
};

/** The error of a payload. Some services send its text only as `data.content`, or as `content`. */
function failure(json: Json): Json {
  const text = asText(json.message) ?? asText(json.error);
  const content = asText(asObject(json.data)?.content) ?? asText(json.content);
  return text === undefined && asObject(json.error) === undefined && content !== undefined
    ? { ...json, message: content }
    : json;
}

class AgentDecoder extends AppDecoder {
  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.chunk_type) {
      case 'content':
        this.text(out, json.content ?? json.text);
        return true;
      case 'thinking':
        this.thinking(out, json.content ?? json.text);
        return true;
      case 'tool_call_start': {
        const args = asArguments(json.arguments);
        this.call(out, asText(json.tool_name) ?? asText(json.name), asText(json.tool_call_id), args);
        return true;
      }
      case 'tool_call_complete': {
        const id = asText(json.tool_call_id);
        const name = asText(json.tool_name) ?? asText(json.name);
        out.push({ type: 'tool_result', id, name, result: json.result });
        return true;
      }
      case 'done':
        this.addCounts(readCounts(json.usage));
        this.finish = asText(json.finish_reason);
        this.complete(out);
        return true;
      case 'error':
        this.fail(out, failure(json));
        return true;
      default:
        return this.readShared(json.chunk_type, json, out);
    }
  }
}
