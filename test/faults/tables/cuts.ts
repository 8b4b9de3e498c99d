import { FAMILIES, type Family } from '../families.ts';
import { close, type Expectation, type Fault, type FaultGroup, fails, ok } from '../fault.ts';
import { chunk, head, LAST } from '../http.ts';

/** Where an answer is cut: how much of it has been sent by then. */
type Phase = 'in an event' | 'after content' | 'after the finish reason';

const LOST = 'the connection was lost';
const NEITHER = 'with neither terminator nor finish reason';
const BEFORE_TERMINATOR = 'after the finish reason, before the terminator';

/** Dialects whose answer ends with its body: there is no terminator to miss. */
const ENDS_WITH_BODY = new Set(['sse', 'ndjson', 'raw']);
/** Dialects in which the finish reason is enough, when the body then ends in good order. */
const FINISH_IS_ENOUGH = new Set([
  'openai-chat',
  'openai-completions',
  'gemini',
  'ai-sdk-ui',
  'anthropic',
  'bedrock-converse',
  'gemini-array',
]);

function sent({ open, content: [first, second], finish }: Family, phase: Phase): Buffer {
  const whole = Buffer.concat([open, first].map((piece) => Buffer.from(piece)));
  switch (phase) {
    case 'in an event':
      return Buffer.concat([whole, Buffer.from(second).subarray(0, Math.floor(second.length / 2))]);
    case 'after content':
      return whole;
    case 'after the finish reason':
      return Buffer.concat([whole, Buffer.from(second), Buffer.from(finish)]);
    default:
      return phase satisfies never;
  }
}

/** The body ends in good order (`ended`), or its connection is closed (`cut`). */
function expected({ dialect }: Family, phase: Phase, how: 'cut' | 'ended'): Expectation {
  if (how === 'cut') {
    if (ENDS_WITH_BODY.has(dialect)) return fails('truncated', LOST);
    return fails('truncated', phase === 'after the finish reason' ? BEFORE_TERMINATOR : NEITHER);
  }
  if (phase === 'after the finish reason')
    return FINISH_IS_ENOUGH.has(dialect) ? ok : fails('truncated', BEFORE_TERMINATOR);
  if (!ENDS_WITH_BODY.has(dialect)) return fails('truncated', `the body ended ${NEITHER}`);
  // Text may end anywhere, and many services leave out the blank line after the last event.
  return phase === 'in an event' && dialect === 'ndjson'
    ? fails('truncated', 'in the middle of an event')
    : ok;
}

function cuts(family: Family): Fault[] {
  const { dialect, contentType, finish } = family;
  const phases: Phase[] = ['in an event', 'after content'];
  if (finish.length > 0) phases.push('after the finish reason');
  return phases.flatMap((phase) =>
    (['cut', 'ended'] as const).map((how) => ({
      name: `${dialect}: ${how} ${phase}`,
      server: `${how === 'cut' ? 'closes the connection' : 'ends the body in good order'} ${phase}`,
      dialect,
      answer: [head(contentType), chunk(sent(family, phase)), how === 'cut' ? close : LAST],
      expect: expected(family, phase, how),
    })),
  );
}

/** Answers that end too early, in every dialect. */
export const CUTS: FaultGroup = { title: 'Answers cut short, by dialect', faults: FAMILIES.flatMap(cuts) };

function wholeCuts({ dialect, whole }: Family): Fault {
  const top = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${whole.length}\r\n\r\n`;
  return {
    ...{
      name: `${dialect}: whole answer cut`,
      server: 'closes the connection in the middle of the whole answer',
    },
    ...{ dialect, mode: 'non-streaming', answer: [top, whole.slice(0, -20), close] },
    expect: fails('truncated', LOST),
  };
}

/** Whole answers that end too early. */
export const WHOLE_CUTS: FaultGroup = {
  title: 'Whole answers cut short, by dialect',
  faults: FAMILIES.filter(({ whole }) => whole.startsWith('{')).map(wholeCuts),
};
