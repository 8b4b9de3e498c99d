import type { StreamEvent } from '../../model/events.ts';
import { appDialect } from '../app-protocol.ts';
import type { Dialect } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asText, type Json } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

// A chat playground: `{"type":"content","content":"..."}` and `{"type":"reasoning",...}`, or reasoning as `<think>`
// blocks inside the content, then `[DONE]`. A failure is `{"error":"text"}`, also followed by `[DONE]`.

const PATH = /(\/playground|\/playground\/chat\/stream\/?)$/;

/** The stream of `/projects/{id}/playground/chat/stream/`. */
export const playground: Dialect = {
  ...appDialect(PATH),
  name: 'playground',
  title: 'application: {"type":"content"|"reasoning"}, then [DONE] (SSE)',
  thinkTags: true,
  carries: new Set(['message_chunk', 'thinking', 'complete', 'error']),

  decoder: () => new PlaygroundDecoder(),

  encoder: () => (event) => {
    const frame = (type: string, content: string): Frame => ({ data: JSON.stringify({ type, content }) });
    switch (event.type) {
      case 'message_chunk':
        return [frame('content', event.text)];
      case 'thinking':
        return [frame('reasoning', event.text)];
      case 'complete':
        return [{ data: '[DONE]' }];
      case 'error':
        return [{ data: JSON.stringify({ error: event.message, code: event.code }) }, { data: '[DONE]' }];
      default:
        return [];
    }
  },
};

class PlaygroundDecoder extends JsonDecoder {
  protected read(json: Json, out: StreamEvent[]): boolean {
    const text = asText(json.content) ?? asText(json.text) ?? asText(json.delta);
    if (json.type === 'content') this.text(out, text);
    else if (json.type === 'reasoning') this.thinking(out, text);
    else return false;
    return true;
  }
}
