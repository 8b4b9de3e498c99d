// Streams an answer, asks for a whole one, re-encodes one, and is refused, on any platform. Run by platforms.test.ts with the
// base URL of a server as its argument; in a browser, by a bundle with this function.

import { createClient, encodeResponse, transcode } from 'streambench';

/** What was heard, as one object that every platform must report alike. */
export async function streams(baseUrl) {
  const client = createClient({ dialect: 'openai-chat', baseUrl, model: 'm' });
  const stream = client.stream({ prompt: 'hi' });
  let text = '';
  for await (const event of stream) if (event.type === 'message_chunk') text += event.text;
  const { outcome, stamp, marks } = await stream.result;
  const ordered =
    marks.sent <= marks.headers && marks.headers <= marks.firstToken && marks.firstToken <= marks.end;

  const left = client.stream({ prompt: 'hi', extra: { endless: true } });
  for await (const _ of left) break;
  const cancelled = (await left.result).outcome.kind;
  const refused = await client.complete({ prompt: 'hi', extra: { refuse: true } });
  client.close();

  const events = [
    { type: 'message_chunk', text: 'é' },
    { type: 'complete', finish: 'stop' },
  ];
  const binary = await encodeResponse(events, { dialect: 'bedrock-converse' });
  const anthropic = await transcode(binary, { from: 'bedrock-converse', to: 'anthropic' });
  const encoded = /"text":"é"/.test(await anthropic.text());
  const { kind, message } = refused.observation.outcome;
  return { text, outcome: outcome.kind, stamp, ordered, cancelled, refused: `${kind}: ${message}`, encoded };
}

const [, , baseUrl] = globalThis.process?.argv ?? [];
if (baseUrl !== undefined) streams(baseUrl).then((heard) => console.log(JSON.stringify(heard)));
