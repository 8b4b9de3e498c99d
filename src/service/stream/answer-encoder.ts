import type { StreamEvent } from '../../model/events.ts';
import type { AnswerContext, Encoder } from '../../wire/dialect.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import type { Frame } from '../../wire/framing/frame.ts';
import type { ChatRoute } from '../http/routes.ts';

/** How an answer is written for its front-end, in addition to the dialect of its route. */
export interface EncoderOptions {
  /** `plain`: errors are `{"error":"text"}`, and only answer text has the field `content`. */
  compat?: 'plain';
  /** Sent with every event, as `prompt_id`. */
  promptId?: string;
  /** `think`: reasoning is sent as content between `<think>` and `</think>`. Default: events of their own. */
  reasoningFormat?: 'think';
}

const DONE: Frame = { data: '[DONE]' };

/** The encoder of a streamed answer. */
export function answerEncoder(
  { dialect, endsWithDone }: Pick<ChatRoute, 'dialect' | 'endsWithDone'>,
  { compat, promptId, reasoningFormat }: EncoderOptions,
  context: AnswerContext,
): Encoder {
  let encode = getDialect(dialect).encoder(context);
  if (compat === 'plain') encode = plainErrors(encode);
  if (promptId !== undefined) encode = withPromptId(encode, promptId);
  if (endsWithDone) encode = withDone(encode);
  return reasoningFormat === 'think' ? withThinkMarkers(encode) : encode;
}

/** Ends the stream with `[DONE]`, also after an error: pages wait for it before they read the stored messages. */
function withDone(encode: Encoder): Encoder {
  return (event) =>
    event.type === 'complete' || event.type === 'error' ? [...encode(event), DONE] : encode(event);
}

// A page that reads nothing but `content` and `error` must not show reasoning as answer text.
function plainErrors(encode: Encoder): Encoder {
  return (event) => {
    if (event.type === 'error') return [{ data: JSON.stringify({ error: event.message }) }];
    if (event.type !== 'thinking') return encode(event);
    return [{ data: JSON.stringify({ type: 'thinking', text: event.text }) }];
  };
}

/** Adds the id to every payload. */
function withPromptId(encode: Encoder, promptId: string): Encoder {
  const head = `{"prompt_id":${JSON.stringify(promptId)},`;
  // The payloads are objects that have a type.
  return (event) => encode(event).map((frame) => ({ ...frame, data: head + frame.data.slice(1) }));
}

const OPEN = '<think>';
const CLOSE = '</think>';

/** Writes reasoning into the answer text, between markers. The markers share a chunk with the text beside them. */
function withThinkMarkers(encode: Encoder): Encoder {
  let open = false;
  return (event) => {
    switch (event.type) {
      case 'thinking': {
        const text = open ? event.text : OPEN + event.text;
        open = true;
        return encode({ type: 'message_chunk', text });
      }
      case 'usage':
      case 'metadata':
      case 'memory_update':
      case 'start':
        // These do not end the reasoning.
        return encode(event);
      default: {
        if (!open) return encode(event);
        open = false;
        if (event.type === 'message_chunk') return encode({ ...event, text: CLOSE + event.text });
        return [...encode({ type: 'message_chunk', text: CLOSE } satisfies StreamEvent), ...encode(event)];
      }
    }
  };
}
