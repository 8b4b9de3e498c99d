/** What a client library of someone else understood of an answer. */
export interface Heard {
  text: string;
  /** Undefined where the library has no place for it. */
  thinking?: string;
  calls: { name: string; arguments: unknown }[];
  inputTokens?: number;
  outputTokens?: number;
  /** Undefined where the API does not tell. */
  reasoningTokens?: number;
  finish?: string;
  /** Pieces of text that came, one by one; 1 for a whole answer. */
  pieces: number;
}

/** What to ask, and where. */
export interface Question {
  /** Origin of the server. */
  url: string;
  model: string;
  prompt: string;
  maxTokens?: number;
}

/** A client library, speaking one API. */
export interface Sdk {
  name: string;
  /** What the API calls an end in tool calls and an end by the token limit, where it tells. */
  finish: { calls?: string; length?: string };
  stream(question: Question): Promise<Heard>;
  /** Undefined for APIs that have streams only. */
  whole?(question: Question): Promise<Heard>;
}

/** The pieces of tool calls, put together by their index. */
export class Calls {
  private readonly calls: { name: string; text: string }[] = [];

  add(index: number, name: string | undefined, piece: string | undefined): void {
    const call = this.calls[index] ?? { name: '', text: '' };
    this.calls[index] = call;
    if (name) call.name = name;
    call.text += piece ?? '';
  }

  all(): Heard['calls'] {
    return this.calls.map(({ name, text }) => ({ name, arguments: JSON.parse(text) }));
  }
}
