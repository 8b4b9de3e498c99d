import { looksStreamed, sniff } from '../../client/outcome/sniff.ts';
import { PayloadTally } from '../../wire/payload-paths.ts';
import { framesOf, recogniseStream, recogniseWhole } from '../../wire/recognise.ts';

/** What the answer of an unknown endpoint shows. */
export interface RecognisedAnswer {
  dialect: string;
  /** For the plain dialects `sse` and `ndjson`: where the text of an event is. */
  textPath?: string;
  /** True if the answer is one document: the service did not stream. */
  isWhole?: true;
}

/** Recognises an answer by the beginning of its body. Undefined for a body that is not an answer, such as an HTML page. */
export function recogniseAnswer(
  body: string,
  headers: Readonly<Record<string, string>>,
): RecognisedAnswer | undefined {
  const text = body.replace(/^\uFEFF/, '');
  const look = sniff(text, headers['content-type'] ?? '');
  switch (look) {
    case 'event-stream-binary':
      return { dialect: 'bedrock-converse' };
    case 'sse':
    case 'ndjson':
      return recognisedStream(text, headers) ?? { dialect: look, textPath: textPathOf(framesOf(look, text)) };
    case 'json': {
      const whole = recogniseWhole(text);
      if (whole !== undefined) return { dialect: whole.dialect, isWhole: true };
      const stream = text.trimStart().startsWith('[') ? recognisedStream(text, headers) : undefined;
      const textPath = textPathOf([text.trim()]);
      return stream ?? (textPath === undefined ? undefined : { dialect: 'sse', textPath, isWhole: true });
    }
    case 'text':
      // A comment or a field name can stand before the first data line.
      return looksStreamed(text)
        ? { dialect: 'sse', textPath: textPathOf(framesOf('sse', text)) }
        : { dialect: 'raw' };
    case 'html':
    case 'xml':
    case 'gzip':
    case 'binary':
    case 'nothing':
      return undefined;
    default:
      return look satisfies never;
  }
}

function recognisedStream(
  text: string,
  headers: Readonly<Record<string, string>>,
): RecognisedAnswer | undefined {
  const found = recogniseStream(text, headers, '');
  return typeof found === 'object' ? { dialect: found.dialect } : undefined;
}

/** The most likely path of the text. Undefined if the payloads are text themselves. */
function textPathOf(payloads: readonly string[]): string | undefined {
  const tally = new PayloadTally();
  for (const payload of payloads) tally.add(payload);
  const facts = tally.result();
  return facts === undefined || facts.json * 2 < facts.events ? undefined : facts.paths[0]?.[0];
}
