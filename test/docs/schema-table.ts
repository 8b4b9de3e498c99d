/** The part of JSON Schema that the scenario schema uses. */
interface Schema {
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: readonly unknown[];
  properties?: Record<string, Schema>;
  required?: readonly string[];
  items?: Schema;
  anyOf?: readonly Schema[];
  additionalProperties?: Schema | boolean;
}

/** Tables of all fields of a scenario: one for the scenario itself, and one for each part with fields of its own. */
export function schemaTable(schema: Schema): string {
  const sections: { title: string; rows: string[] }[] = [];
  visit(schema, '', sections);
  return sections
    .map(({ title, rows }) =>
      [`### ${title || 'The scenario'}`, '', '| field | meaning |', '| --- | --- |', ...rows].join('\n'),
    )
    .join('\n\n');
}

function visit(schema: Schema, title: string, sections: { title: string; rows: string[] }[]): void {
  const rows: string[] = [];
  sections.push({ title, rows });
  const inner: [string, Schema][] = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const required = schema.required?.includes(name) ? ' Required.' : '';
    const values = choices(field);
    const allowed = values.length > 1 ? ` One of ${values.join(', ')}.` : '';
    const text = `${field.description ?? ''}${allowed}${required}`
      .replaceAll('|', '\\|')
      .replaceAll('\n', ' ');
    rows.push(`| \`${name}\` | ${text} |`);
    const path = title === '' ? name : `${title}.${name}`;
    const parts = partsOf(field);
    if (parts !== undefined) inner.push([field.items === undefined ? path : `${path}[]`, parts]);
  }
  for (const [path, part] of inner) visit(part, path, sections);
}

/** What has fields of its own: the field itself, an item of its list, or a value of its map. */
function partsOf(field: Schema): Schema | undefined {
  if (field.properties !== undefined) return field;
  const { items, additionalProperties: values } = field;
  const candidates = [items, ...(field.anyOf ?? []), typeof values === 'object' ? values : undefined];
  return candidates.find((one) => one?.properties !== undefined);
}

/** The words that a field takes, where it takes only words. */
function choices(field: Schema): string[] {
  const options = field.anyOf ?? [];
  const words = [
    ...(field.enum ?? []),
    ...options.flatMap(({ enum: several = [], const: one }) => [...several, one]),
  ];
  const known = words.filter((word) => typeof word === 'string');
  return known.map((word) => `\`${word}\``);
}
