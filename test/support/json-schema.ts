/** A JSON Schema, as far as the schemas in test/fixtures use the language. */
export type JsonSchema = Record<string, unknown>;

/**
 * What is wrong with a value, one line each; empty where it fits. Unknown keywords are an error, so that none is skipped. `root`:
 * the document that `$ref` refers to.
 */
export function schemaErrors(value: unknown, schema: JsonSchema, root = schema, at = '$'): string[] {
  const errors: string[] = [];
  for (const [keyword, wanted] of Object.entries(schema)) {
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`${at}: unknown keyword ${keyword}`);
    errors.push(...check(value, wanted as never, { schema, root, at }));
  }
  return errors;
}

interface Context {
  schema: JsonSchema;
  root: JsonSchema;
  at: string;
}

type Check = (value: unknown, wanted: never, context: Context) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const ignored: Check = () => [];

const fitsOne = (value: unknown, schemas: JsonSchema[], { root, at }: Context) => {
  const all = schemas.map((schema) => schemaErrors(value, schema, root, at));
  return all.some((errors) => errors.length === 0) ? [] : all.flat();
};

const KEYWORDS: Readonly<Record<string, Check>> = {
  $comment: ignored,
  $defs: ignored,
  default: ignored,
  discriminator: ignored,
  format: ignored,
  $ref: (value, path: string, { root, at }) => {
    const found = path
      .slice(2)
      .split('/')
      .reduce<unknown>((part, name) => (part as JsonSchema)[name], root);
    return schemaErrors(value, found as JsonSchema, root, at);
  },
  type: (value, name: string, { at }) => (TYPES[name]?.(value) ? [] : [`${at} is not of type ${name}`]),
  const: (value, wanted, { at }) => (value === wanted ? [] : [`${at} is not ${wanted}`]),
  enum: (value, wanted: unknown[], { at }) =>
    wanted.includes(value) ? [] : [`${at} is ${value}, not one of ${wanted.join(', ')}`],
  minimum: (value, least: number, { at }) =>
    typeof value === 'number' && value < least ? [`${at} is below ${least}`] : [],
  exclusiveMinimum: (value, least: number, { at }) =>
    typeof value === 'number' && value <= least ? [`${at} is not above ${least}`] : [],
  anyOf: fitsOne,
  oneOf: fitsOne,
  required: (value, names: string[], { at }) =>
    isObject(value) ? names.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`) : [],
  properties: (value, properties: Record<string, JsonSchema>, { root, at }) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, one]) =>
          properties[name] === undefined ? [] : schemaErrors(one, properties[name], root, `${at}.${name}`),
        )
      : [],
  additionalProperties: (value, allowed: boolean | JsonSchema, { schema, root, at }) => {
    if (!isObject(value) || allowed === true) return [];
    const known = Object.keys((schema.properties ?? {}) as JsonSchema);
    const others = Object.entries(value).filter(([name]) => !known.includes(name));
    return others.flatMap(([name, one]) =>
      allowed === false ? [`${at}.${name} is not known`] : schemaErrors(one, allowed, root, `${at}.${name}`),
    );
  },
  items: (value, schema: JsonSchema, { root, at }) =>
    Array.isArray(value) ? value.flatMap((one, i) => schemaErrors(one, schema, root, `${at}[${i}]`)) : [],
};
