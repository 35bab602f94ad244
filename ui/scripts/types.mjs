// Writes src/lib/contract.ts: the types of the server's answers, from docs/reference/openapi.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
export const document = () => JSON.parse(readFileSync(at('../../docs/reference/openapi.json'), 'utf8'));

const primitive = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  const all = (list, by) => [...new Set(list.map(typeOf))].join(by);
  if (schema.oneOf ?? schema.anyOf) return all(schema.oneOf ?? schema.anyOf, ' | ');
  if (schema.allOf) return all(schema.allOf, ' & ');
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  if (schema.type === 'array') {
    const item = typeOf(schema.items ?? {});
    return /[|&]/.test(item) ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === 'object') return schema.properties ? `{ ${fields(schema).join(' ')} }` : `Record<string, ${schema.additionalProperties ? typeOf(schema.additionalProperties) : 'unknown'}>`;
  return primitive[schema.type] ?? 'unknown';
}

const fields = ({ properties, required = [] }) => Object.entries(properties).map(([name, schema]) => `${/^\w+$/.test(name) ? name : `'${name}'`}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`);

/** The file's text. */
export function contract({ components }) {
  const types = Object.entries(components.schemas).map(([name, schema]) => {
    const about = schema.description ? `/** ${schema.description} */\n` : '';
    if (schema.type === 'object' && schema.properties) return `${about}export interface ${name} {\n${fields(schema).map((field) => `  ${field}\n`).join('')}}\n`;
    if (schema.oneOf) return `${about}export type ${name} =\n${schema.oneOf.map((one) => `  | ${typeOf(one)}`).join('\n')};\n`;
    return `${about}export type ${name} = ${typeOf(schema)};\n`;
  });
  return `// Written by \`npm run types\` from docs/reference/openapi.json; a test says when it is out of date.\n\n${types.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(at('../src/lib/contract.ts'), contract(document()));
