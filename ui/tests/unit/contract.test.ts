// @vitest-environment node
/** The document of the API, the types made of it, and the stand-in that speaks for the server: all say the same. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error the stand-in is plain JavaScript
import { allowed, document, misfits, routeOf, unfit } from '../../mock/contract.mjs';
// @ts-expect-error the stand-in is plain JavaScript
import { serve } from '../../mock/server.mjs';
// @ts-expect-error scripts are plain JavaScript
import { contract } from '../../scripts/types.mjs';

type Server = { url: string; stop: () => Promise<void> };
let server: Server;
beforeAll(async () => {
  server = (await serve()) as Server;
});
afterAll(() => server.stop());

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${server.url}/api/v1${path}`, { method, headers: { 'X-Safar-CSRF': 'mock', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
};

it('types are those of the document: run `npm run types`', () => {
  expect(readFileSync(new URL('../../src/lib/contract.ts', import.meta.url), 'utf8')).toBe(contract(document));
});

describe('what a schema says', () => {
  it('is looked at in depth, and what is missing or of another kind is told', () => {
    const schema = { $ref: '#/components/schemas/Token' };
    const token = { id: 1, name: 'n', sql_user: 'u', created_at: 5, expires_at: null };
    expect(misfits(schema, token)).toEqual([]);
    expect(misfits(schema, { ...token, id: '1', name: undefined })).toEqual(['.id: string instead of integer', '.name: undefined instead of string']);
    const { sql_user: _gone, ...less } = token;
    expect(misfits(schema, less)).toEqual(['.sql_user is missing']);
  });
});

describe('the stand-in answers as the document says', () => {
  const paths = Object.keys(document.paths as Record<string, unknown>).map((path) => path.replace('/api/v1', ''));
  const needs: Record<string, string> = {
    '/reports/explorer': 'start=event:page_view', '/reports/funnel': 'step=event:page_view&step=goal:purchase', '/reports/dropouts': 'step=event:page_view&step=goal:purchase&after=1',
    '/reports/dropped-people': 'step=event:page_view&step=goal:purchase&after=1',
    '/reports/explain': 'model=linear&label=Email', '/reports/compare': "a=channel='Email'&b=channel='Display'", '/reports/compare-flow': "a=channel='Email'&b=channel='Display'",
  };
  /** Reports that no screen asks for: the stand-in does without them. */
  const unasked = ['/reports/experiment', '/reports/reject-reasons', '/openapi.json', '/live'];
  it.each(paths.filter((path) => !path.includes('{') && routeOf('GET', path) && !unasked.includes(path)))('GET %s', async (path) => {
    const { status, body } = await ask('GET', `${path}${needs[path] ? `?${needs[path]}` : ''}`);
    expect(status).toBe(200);
    expect(unfit('GET', path, status, body)).toEqual([]);
  });
  it.each([
    ['POST', '/settings/check', { text: 'broken =\n' }],
    ['POST', '/settings/preview', { text: '' }],
    ['PUT', '/settings', { text: 'broken =\n', version: 'a41c09' }],
    ['PUT', '/settings', { text: 'x = 1\n', version: 'old' }],
    ['POST', '/sql', { query: 'SELECT 1' }],
    ['POST', '/sql', { query: 'DROP TABLE x' }],
    ['POST', '/tokens', { name: 'n', days: 3 }],
    ['POST', '/users', { name: 'n', email: 'n@example.com', password: '0123456789', role: 'viewer' }],
    ['PATCH', '/users/2', { role: 'analyst' }],
    ['POST', '/password', { current: 'wrong', new: '0123456789' }],
    ['POST', '/build', undefined],
    ['GET', '/jobs/1', undefined],
    ['GET', '/people/1', undefined],
    ['GET', '/reports/paths?where=!!', undefined],
    ['GET', '/reports/paths?no_such=1', undefined],
  ] as const)('%s %s', async (method, path, body) => {
    const said = await ask(method, path, body);
    expect(unfit(method, path.replace(/\?.*/, ''), said.status, said.body)).toEqual([]);
  });
  it('and refuses whom the server refuses', async () => {
    const guest = (await serve(0, { logged: false })) as Server;
    const go = (method: string, path: string, body?: unknown): Promise<Response> => fetch(`${guest.url}/api/v1${path}`, { method, headers: { 'X-Safar-CSRF': 'mock' }, ...(body ? { body: JSON.stringify(body) } : {}) });
    await go('POST', '/login', { email: 'jon@example.com', password: 'correct horse battery' });
    for (const [path, status] of [['/settings', 403], ['/reports/rejects', 403], ['/reports/people', 403], ['/users', 403], ['/tokens', 200], ['/reports/attribution', 200]] as const) expect((await go('GET', path)).status, path).toBe(status);
    await guest.stop();
  });
  it('roles are found in the document', () => {
    expect([allowed(routeOf('GET', '/settings'), 'viewer'), allowed(routeOf('GET', '/settings'), 'analyst'), allowed(routeOf('PUT', '/settings'), 'analyst')]).toEqual([false, true, false]);
  });
});
