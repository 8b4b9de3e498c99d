import * as z from 'zod';
import { distinctNames, list, mapping, text } from './fields.ts';

/** What a prompt adds to a request beside its text: media, tools, the form of the answer. */

const json = (expects: string) => z.record(z.string(), z.unknown(), { error: expects });

/** Images and recordings of a prompt or a message. */
export const mediaFields = {
  images: list(text(), 'a list of image files')
    .optional()
    .describe(
      "Images to send before the text: png, jpeg, gif or webp files in this scenario's folder or below it, or data: URLs.",
    ),
  audio: list(text(), 'a list of audio files')
    .optional()
    .describe(
      "Recordings to send before the text: wav or mp3 files in this scenario's folder or below it, or data: URLs.",
    ),
};

/** Tools, schema and further fields of a request. */
export const requestFields = {
  tools: list(
    mapping({
      name: z
        .string({ error: 'a name' })
        .regex(/^[\w-]{1,64}$/, { error: 'a name of 1 to 64 letters, digits, _ and -' })
        .describe('The name of the function.'),
      description: text().optional().describe('What it does.'),
      parameters: json('a JSON Schema').optional().describe('JSON Schema of its arguments. Default: none.'),
    }),
    'a list of tools ({ name, description, parameters })',
  )
    .superRefine(distinctNames('tools'))
    .optional()
    .describe('Tools that the model may call. They are not run.'),
  jsonSchema: json('a JSON Schema')
    .optional()
    .describe('The answer must be JSON of this schema (structured output).'),
  extra: json('a mapping of request fields')
    .optional()
    .describe(
      "Additional fields of the request body, merged after the target's extra; null removes a field.",
    ),
};
