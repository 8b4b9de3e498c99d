import type { DrawnTurn } from '../model/prompt.ts';
import type { AnsweredCall, Message } from '../model/request.ts';

/** The content of an answer that the next turn continues. */
export interface TurnAnswer {
  text: string;
  calls: readonly AnsweredCall[];
}

/** What follows an answer. */
export interface NextTurn {
  /** Turns that can still be sent, the next one included. 0: the session is complete. */
  left: number;
  /** Results of tool calls that are not sent, because the answer has no call. */
  skipped: number;
  /** Time to wait after the end of the answer. */
  thinkMs: number;
}

/** A conversation with a server: its answers are carried over into the requests that follow. */
export class Conversation {
  /** What the next request sends. */
  messages: readonly Message[];
  private turns: readonly DrawnTurn[];

  constructor(opening: readonly Message[], turns: readonly DrawnTurn[]) {
    this.messages = opening;
    this.turns = turns;
  }

  /** Turns after the one that is sent next. */
  get left(): number {
    return this.turns.length;
  }

  /** Adds an answer and the next turn to the messages. */
  answered({ text, calls }: TurnAnswer): NextTurn {
    const hasCalls = calls.length > 0;
    const next = this.turns.findIndex(({ toolResults }) => toolResults === undefined || hasCalls);
    const skipped = next === -1 ? this.turns.length : next;
    const turn = this.turns[skipped];
    const left = this.turns.length - skipped;
    this.turns = this.turns.slice(skipped + 1);
    if (turn === undefined) return { left, skipped, thinkMs: 0 };
    const { messages = [], toolResults, thinkMs } = turn;
    this.messages =
      toolResults === undefined
        ? // Calls without results are refused by servers. An empty answer is no message.
          [
            ...this.messages,
            ...(text === '' ? [] : [{ role: 'assistant', content: text } as const]),
            ...messages,
          ]
        : [
            ...this.messages,
            { role: 'assistant', content: text, toolCalls: calls },
            ...calls.map((call, index): Message => {
              const content = toolResults[Math.min(index, toolResults.length - 1)] ?? '';
              return { role: 'tool', content, call };
            }),
          ];
    return { left, skipped, thinkMs };
  }
}

/** A recorded conversation as its first turn and those that follow. The recorded answers are left out of the latter. */
export function splitConversation(messages: readonly Message[]): {
  opening: readonly Message[];
  turns: Omit<DrawnTurn, 'thinkMs'>[];
} {
  const first = messages.findIndex(({ role }) => role === 'user');
  const after = messages.findIndex(({ role }, index) => index > first && role !== 'user');
  if (after === -1) return { opening: messages, turns: [] };
  const turns: Omit<DrawnTurn, 'thinkMs'>[] = [];
  for (let at = after; at < messages.length; ) {
    const role = messages[at]?.role;
    const end = messages.findIndex((message, index) => index > at && message.role !== role);
    const group = messages.slice(at, end === -1 ? undefined : end);
    if (role === 'user') turns.push({ messages: group });
    else if (role === 'tool') turns.push({ toolResults: group.map(({ content }) => content) });
    at += group.length;
  }
  return { opening: messages.slice(0, after), turns };
}
