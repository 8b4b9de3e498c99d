import * as z from 'zod';
import { scenarioSchema } from './scenario.ts';

// Any scalar may be a reference to the environment, which is resolved before types are checked.
const REFERENCE = { type: 'string', pattern: '\\$\\{env:' } as const;
const TYPED = ['type', 'enum', 'minimum', 'maximum', 'pattern'] as const;

/** The JSON Schema (draft 7) of scenario files, for editors. Made from the same schema that parses them. */
export function scenarioJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(scenarioSchema, {
    io: 'input',
    target: 'draft-07',
    override: ({ jsonSchema, path }) => {
      const json = jsonSchema as Record<string, unknown>;
      if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
      const scalar =
        json.enum ?? json.pattern ?? ['integer', 'number', 'boolean'].includes(String(json.type));
      // An empty default is useless in an editor, and a key cannot be a reference.
      if (JSON.stringify(json.default) === '{}') delete json.default;
      if (path.at(-1) === 'propertyNames') return;
      if (!scalar || json.const !== undefined) return;
      const typed: Record<string, unknown> = {};
      for (const key of TYPED) {
        if (json[key] === undefined) continue;
        typed[key] = json[key];
        delete json[key];
      }
      json.anyOf = [typed, REFERENCE];
    },
  });
  return { $schema, title: 'streambench scenario', ...rest };
}
