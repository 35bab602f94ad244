// What docs/reference/openapi.json says: which routes there are, who may use them, and what they are asked with and answer.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'reference', 'openapi.json');
export const document = JSON.parse(readFileSync(file, 'utf8'));
const ranks = { viewer: 0, analyst: 1, admin: 2 };

const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path: path.replace('/api/v1', ''),
    pattern: new RegExp(`^${path.replace('/api/v1', '').replace(/\{\w+\}/g, '[^/]+')}$`),
    role: /Needs the role (\w+)/.exec(operation.description ?? '')?.[1] ?? null,
    parameters: (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name),
    operation,
  })),
);

/** Routes that the screens use before the document tells of them. */
for (const [path, role, parameters] of [['/reports/dropped-people', 'analyst', ['step', 'exclude', 'order', 'open', 'window_days', 'after', 'goal', 'from', 'to', 'where', 'limit', 'offset', 'sort', 'format']]]) {
  if (!routes.some((route) => route.path === path)) routes.push({ method: 'GET', path, pattern: new RegExp(`^${path}$`), role, parameters, operation: { responses: {} } });
}

export const routeOf = (method, path) => routes.find((route) => route.method === method && route.pattern.test(path)) ?? null;
export const allowed = (route, role) => route.role === null || (role in ranks && ranks[role] >= ranks[route.role]);

/** What of a value does not fit a schema of the document; an empty list where all does. Values may hold more than is told. */
export function misfits(schema, value, at = '') {
  if (!schema) return [];
  if (schema.$ref) return misfits(document.components.schemas[schema.$ref.split('/').at(-1)], value, at);
  const any = schema.oneOf ?? schema.anyOf;
  if (any) return any.some((one) => misfits(one, value, at).length === 0) ? [] : [`${at}: fits none of ${any.length} shapes`];
  if (schema.allOf) return schema.allOf.flatMap((one) => misfits(one, value, at));
  if (schema.enum) return schema.enum.includes(value) ? [] : [`${at}: ${JSON.stringify(value)} is none of ${schema.enum.join(', ')}`];
  if (!schema.type) return [];
  const types = [schema.type].flat();
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (!types.includes(is) && !(is === 'integer' && types.includes('number'))) return [`${at}: ${is} instead of ${types.join(' or ')}`];
  if (is === 'array') return value.flatMap((item, index) => misfits(schema.items, item, `${at}[${index}]`));
  if (is !== 'object') return [];
  const lost = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
  return [...lost, ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => (name in value ? misfits(inner, value[name], `${at}.${name}`) : []))];
}

/** What of an answer with this status does not fit its route. */
export function unfit(method, path, status, body) {
  const route = routeOf(method, path);
  if (!route) return [`${method} ${path} is no route`];
  const { responses } = route.operation;
  const told = responses[status] ?? responses.default;
  const media = told?.content?.['application/json'] ?? told?.content?.['application/problem+json'];
  return media ? misfits(media.schema, body, `${method} ${path}`) : [];
}
