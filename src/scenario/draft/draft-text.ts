import { Document, isScalar, visit } from 'yaml';
import { DRAFT_MAX_TOKENS, type Draft } from './draft.ts';

/** What a comment in the file says about the request that was sent. */
export interface DraftNotes {
  /** What the file was made from, such as `a curl command`. */
  from: string;
  /** Reference to the JSON Schema for editors. */
  schema: string;
  /** What the request showed, in one line; undefined if none was sent. */
  seen?: string;
}

/** The draft as a scenario file with comments. */
export function draftText(draft: Draft, { from, schema, seen }: DraftNotes): string {
  const { target, prompt, variables, dropped, isConstant, limited, modes } = draft;
  const { name, ...fields } = target;
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    '#',
    `# Made by \`streambench init\` from ${from}.`,
    ...(seen === undefined ? ['# No request has been sent: the dialect is not confirmed.'] : [`# ${seen}`]),
    ...(variables.length === 0
      ? []
      : [`# Set before a run: ${[...new Set(variables.map((one) => one.name))].join(', ')}`]),
    ...(dropped.length === 0
      ? []
      : [`# Not sent, because they belong to the browser or the client: ${dropped.join(', ')}`]),
    '',
    'version: 1',
    ...yaml({ name: draft.name }),
    '',
    'targets:',
    ...listItem({ name, ...fields }, COMMENTS),
    '',
    '# What each request asks. Several prompts are measured in turns; a text of your users is the best prompt.',
    'prompts:',
    ...listItem(
      prompt,
      limited ? { maxTokens: `the longest answer, in tokens; ${DRAFT_MAX_TOKENS} keeps the run short` } : {},
    ),
    ...(isConstant
      ? [
          '',
          '# The request has no place for a prompt, so all requests are the same and a cache may answer them.',
          '# Put {{prompt}} or {{nonce}} where the prompt belongs.',
          'unique: false',
        ]
      : []),
    '',
    modes.includes('non-streaming')
      ? '# The service sent the whole answer at once. If it can stream, request that in the body and use [streaming].'
      : '# [streaming, non-streaming] also times whole answers: the strongest evidence for the streaming verdict.',
    `modes: [${modes.join(', ')}]`,
    '',
    '# One and four requests at once, 20 each, in turns over several rounds.',
    'load:',
    '  concurrency: [1, 4]',
    '  requests: 20',
    '  rounds: 4',
    '  warmup: 1',
    '',
    '# What must hold: a run that breaks one of these ends with exit code 3. See `streambench help thresholds`.',
    'thresholds:',
    '  - errors.rate < 5%',
    ...(modes.includes('non-streaming')
      ? []
      : ['  # - streaming.verdict == streaming', '  # - ttft.p95 < 2s']),
  ];
  return `${lines.join('\n')}\n`;
}

const COMMENTS: Readonly<Record<string, string>> = {
  dialect: 'the wire format; `streambench dialects` lists them',
  path: 'the URL is used as it is',
  textPath: "where the text is in an event's JSON",
  apiKey: 'read from the environment',
  extra: 'further fields of the request body',
  body: '{{prompt}} is replaced by the prompt, {{stream}} by true or false',
};

/** A mapping as the only item of a list, with comments above fields. */
function listItem(
  fields: Readonly<Record<string, unknown>>,
  comments: Readonly<Record<string, string>>,
): string[] {
  const lines = Object.entries(fields).flatMap(([key, value]) => [
    ...(comments[key] === undefined ? [] : [`# ${comments[key]}`]),
    ...yaml({ [key]: value }),
  ]);
  return lines.map((line, index) => (line === '' ? '' : `  ${index === 0 ? '- ' : '  '}${line}`));
}

function yaml(value: unknown): string[] {
  const document = new Document(value);
  visit(document, {
    Scalar(_key, node) {
      // Quoted: a reference alone could become a number.
      if (isScalar(node) && typeof node.value === 'string' && node.value.includes('${env:'))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 }).trimEnd().split('\n');
}
