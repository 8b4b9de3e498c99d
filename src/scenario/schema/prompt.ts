import { ALWAYS, choice, flag, list, mapping, text, whole } from './fields.ts';

/** A prompt of a scenario. */

const messageSchema = mapping({
  role: choice(['system', 'user', 'assistant']).describe('The role of the message.'),
  content: text().describe('The text of the message.'),
});

/** The parser of one of a scenario's `prompts`. */
export const promptSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  text: text().optional().describe('The prompt itself, sent as one user message.'),
  file: text().optional().describe("A text file with the prompt, in this scenario's folder or below it."),
  messages: list(messageSchema, 'a list of messages ({ role, content })')
    .optional()
    .describe('A whole conversation, instead of text or file.'),
  system: text().optional().describe('A system message before the prompt.'),
  maxTokens: whole(1).optional().describe("Limit of the answer length, in tokens. Default: the provider's."),
  unique: flag()
    .optional()
    .describe("Whether each request of this prompt is unique. Default: the scenario's unique."),
})
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    const given = ['text', 'file', 'messages'].filter((key) => key in value);
    if (given.length === 1) return;
    context.addIssue({
      code: 'custom',
      message:
        given.length === 0
          ? 'the prompt has no content'
          : `the prompt has ${given.join(' and ')}, but only one is allowed`,
      params: { hint: 'use exactly one of text, file and messages' },
    });
  }, ALWAYS)
  .meta({ oneOf: [{ required: ['text'] }, { required: ['file'] }, { required: ['messages'] }] });
