// Stands in for the server while the screens are developed and tested: the same contract over an imaginary shop.
// `node mock/server.mjs [port]` also serves dist/ with the content security policy of the real server.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allowed, routeOf } from './contract.mjs';
import { models } from './credit.mjs';
import { reports } from './reports.mjs';
import { tables, tomlText } from './fixtures.mjs';
import { firstDay, lastDay, people } from './world.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
export const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const known = { goal: 'purchase', settings: 'a41c09', program: '0.1.0', data: '42-7f3a' };

/** State that tests change; each server has its own. */
function fresh(setup) {
  return {
    logged: false, setup, settings: { text: tomlText, version: 'a41c09', history: [{ version: 'a41c09', time: 1_795_079_520, user: 'ada@example.com', text: tomlText }, { version: '77be02', time: 1_793_371_200, user: 'ada@example.com', text: tomlText.replace('click_days = 30 ', 'click_days = 90 ').replace('"sign_up"', '"sign_up", "trial"') }] },
    users: [{ id: 1, name: 'Ada Shop', email: 'ada@example.com', role: 'admin', created_at: 1_790_000_000 }, { id: 2, name: 'Jón Viewer', email: 'jon@example.com', role: 'viewer', created_at: 1_790_500_000 }],
    audit: [{ at: '2026-11-21T09:12:00Z', who: 'account:ada@example.com', act: 'download', detail: { report: 'paths', format: 'csv' } }, { at: '2026-11-19T17:32:00Z', who: 'account:ada@example.com', act: 'settings', detail: { version: 'a41c09' } }, ...Array.from({ length: 118 }, (_, back) => ({ at: new Date(Date.parse('2026-11-18T03:00:00Z') - back * 86_400_000).toISOString(), who: 'serve', act: 'retain', detail: { rows: back % 7 ? 0 : 12 } }))],
    password: 'correct horse battery', tokens: [{ id: 1, name: 'nightly export', sql_user: 'token_1', created_at: 1_790_899_200, expires_at: null }],
  };
}

const problem = (status, code, title, detail, hint, more = {}) => ({ status, body: { type: `urn:safar:problem:${code}`, title, status, code, detail, hint, ...more } });
const cell = (value) => (value === null ? '' : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

function answerReport(name, query) {
  const made = reports[name];
  if (!made) return problem(404, 'not_found', 'No such report', `There is no report "${name}".`, 'GET /openapi.json lists the reports.');
  if ((query.get('where') ?? '').includes('!!')) return problem(400, 'bad_query', 'The condition is no SQL', `"${query.get('where')}" cannot be read.`, 'Write a condition over paths, such as value > 100.', { line: 1, column: 7 });
  const began = performance.now();
  const { columns, rows: found, extra = {}, total_rows: total = found.length, notes = [], seed = null } = made(query);
  const rows = sorted(columns, found, query.get('sort'));
  if (query.get('format') === 'csv') return { status: 200, type: 'text/csv; charset=utf-8', file: `${name}.csv`, raw: [columns.map((column) => column.name), ...rows].map((row) => row.map(cell).join(',')).join('\r\n') };
  if (query.get('format')) return { status: 200, type: 'application/json', file: `${name}.${query.get('format')}`, raw: JSON.stringify(rows) };
  const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? rows.length)];
  const shown = rows.slice(offset, offset + limit);
  return { status: 200, body: { meta: { report: name, data_version: known.data, settings_version: known.settings, program_version: known.program, seed, took_ms: Math.round(performance.now() - began), cached: false, from: query.get('from'), to: query.get('to'), goal: query.get('goal') ?? known.goal, notes }, columns, rows: shown, total_rows: total, extra } };
}

function sorted(columns, rows, order) {
  const at = columns.findIndex((column) => column.name === order?.replace(/^-/, ''));
  if (at < 0) return rows;
  return rows.toSorted((a, b) => (a[at] === b[at] ? 0 : a[at] === null ? 1 : b[at] === null ? -1 : (a[at] < b[at] ? -1 : 1) * (order.startsWith('-') ? -1 : 1)));
}

function personOf(id) {
  const person = people.find((one) => one.id === id);
  if (!person) return problem(400, 'bad_request', 'Nobody has this id', `There is no person "${id}".`, 'Search the list of people.', { reason: { code: 'no_person', values: { id } } });
  const iso = (at) => new Date(at).toISOString();
  const [first, last] = [iso(person.sessions[0].at), iso(person.sessions.at(-1).at)];
  const value = person.conversions.reduce((sum, one) => sum + one.value, 0);
  return {
    status: 200,
    body: {
      meta: { data_version: known.data, settings_version: known.settings, program_version: known.program },
      timeline_rows: person.sessions.reduce((sum, session) => sum + session.events.length, 0),
      person: { person_id: person.id, first_seen: first, last_seen: last, sessions: person.sessions.length, conversions: person.conversions.length, value: Math.round(value * 100) / 100, last_channel: person.sessions.at(-1).channel },
      identifiers: [
        { namespace: 'anonymous', identifier: `d-${person.number.toString(16).padStart(6, '0')}`, first_seen: first, last_seen: last, why: `with user user-${person.number}, on one event`, ...(person.known ? { tie: 'event', tie_namespace: 'user', tie_identifier: `user-${person.number}`, tie_at: first, tie_source: null } : { tie: null }) },
        ...(person.known ? [{ namespace: 'user', identifier: `user-${person.number}`, first_seen: first, last_seen: last, why: 'on one event', tie: 'event', tie_namespace: 'anonymous', tie_identifier: `d-${person.number.toString(16).padStart(6, '0')}`, tie_at: first, tie_source: 'web' }, { namespace: 'email', identifier: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9', first_seen: first, last_seen: last, why: 'in one customer record', tie: 'record', tie_namespace: 'user', tie_identifier: `user-${person.number}`, tie_at: last, tie_source: 'customers.csv' }] : []),
      ],
      sessions: person.sessions.map((session) => ({ time: iso(session.at), channel: session.channel, source: session.source, campaign: session.campaign || null, events: session.events.length })),
      timeline: person.sessions.flatMap((session, at) => session.events.map((event, place) => ({ time: iso(event.at), kind: event.name === 'purchase' ? 'conversion' : place === 0 ? 'session' : 'event', name: event.name, channel: place === 0 ? session.channel : null, source: place === 0 ? session.source : null, campaign: place === 0 ? session.campaign || null : null, value: event.value, page: event.page, session: at + 1 }))),
      conversions: person.conversions.map((one) => ({ goal: one.goal, time: iso(one.at), value: one.value, order_id: one.order })),
    },
  };
}

function tomlProblem(text) {
  const line = text.split('\n').findIndex((one) => /=\s*$/.test(one));
  return line < 0 ? null : { type: 'about:blank', title: 'safar.toml cannot be read', status: 422, code: 'bad_settings', detail: `safar.toml:${line + 1}: a key without a value`, hint: 'Write a value behind the equals sign, or remove the line.', file: 'safar.toml', line: line + 1, column: 1 };
}

const session = (state) => ({ user: state.logged ? { id: 1, name: 'Ada Shop', email: 'ada@example.com', role: state.role ?? 'admin', created_at: 1_790_000_000 } : null, setup_needed: state.setup, csrf: 'mock', locale: '' });
const told = ({ settings }) => ({ ...settings, history: settings.history.map(({ text: _text, ...one }) => one) });
/** A page of a list; how many rows there are stands in a header. */
const listed = (rows, query) => { const from = Number(query.get('offset') ?? 0); return { status: 200, total: rows.length, body: rows.slice(from, from + Number(query.get('limit') ?? 1000)) }; };
const added = (list, entry, more = {}) => (list.push(entry), { status: 201, body: { ...entry, ...more } });

function api(state, method, path, query, body) {
  const at = `${method} ${path}`;
  if (at === 'GET /session') return { status: 200, body: session(state) };
  if (at === 'POST /setup') {
    if (body.code !== 'AB12-CD34') return problem(401, 'wrong_password', 'The one-time code is wrong', 'The code is not the one that was printed.', 'Copy it from the terminal where safar serve runs.');
    state.setup = false;
    state.logged = true;
    return { status: 200, body: session(state) };
  }
  if (at === 'POST /login') {
    if (body.password !== state.password) return problem(401, 'wrong_password', 'Wrong e-mail or password', 'Wrong e-mail or password.', 'Try again.');
    state.logged = true;
    state.role = body.email.startsWith('jon') ? 'viewer' : body.email.startsWith('ana') ? 'analyst' : 'admin';
    return { status: 200, body: session(state) };
  }
  const route = routeOf(method, path);
  if (!route) return problem(404, 'not_found', 'There is no such thing', `there is nothing at ${path}`, 'GET /api/v1/openapi.json lists what there is');
  if (!state.logged) return problem(401, 'login_needed', 'Not logged in', 'This needs a session.', 'Log in.');
  if (!allowed(route, state.role ?? 'admin')) return problem(403, 'not_allowed', 'Your role does not allow this', `this needs the role ${route.role}`, null, { reason: { code: 'needs_role', values: { role: route.role } } });
  const odd = [...query.keys()].find((name) => !route.parameters.includes(name));
  if (odd) return problem(400, 'bad_request', 'The request does not fit', `there is no parameter ${odd}`, `it takes ${route.parameters.join(', ')}`);
  if (at === 'POST /password') {
    if (body.current !== state.password) return problem(401, 'wrong_password', 'That is not right', 'the current password is another', null);
    state.password = body.new;
    return { status: 200, body: session(state) };
  }
  if (at === 'GET /audit') return listed(state.audit, query);
  if (at === 'GET /settings/history') return listed(state.settings.history, query);
  if (at === 'POST /logout') return (state.logged = false), { status: 204 };
  if (at === 'GET /workspace') return { status: 200, body: { name: 'coats-and-boots', time_zone: 'Europe/Warsaw', currency: 'EUR', goals: ['purchase', 'sign-up'], models, dimensions: ['channel', 'source', 'medium', 'campaign', 'content', 'term', 'country', 'language', 'device', 'browser', 'os'], first_day: firstDay, last_day: lastDay, events: 61_240, people: people.length, data_version: known.data, settings_version: known.settings, program_version: known.program, last_build: { time: 1_795_309_200 }, locale: '' } };
  if (path.startsWith('/reports/')) return answerReport(decodeURIComponent(path.slice(9)), query);
  if (/^\/people\/[^/]+\/export$/.test(path)) return { status: 200, body: { summary: { person: path.split('/')[2] }, events: [] } };
  if (/^\/people\/[^/]+\/erase$/.test(path)) return body.person === decodeURIComponent(path.split('/')[2]) ? { status: 202, body: { job: 2 } } : problem(400, 'bad_request', 'The request does not fit', 'the number does not match', null);
  if (path.startsWith('/people/')) return personOf(decodeURIComponent(path.slice(8)));
  if (at === 'GET /tables') return { status: 200, body: tables };
  if (at === 'POST /sql') {
    if (query.get('format')) return answerReport('channels', query);
    if (!/^\s*(select|with|explain|show)/i.test(body.query)) return problem(400, 'bad_query', 'The query cannot be read', 'Expected a query, found something else.', 'Only reading is allowed: begin with SELECT.', { line: 1, column: 1 });
    const { columns, rows } = reports.channels(new URLSearchParams());
    return { status: 200, body: { ...answerReport('channels', new URLSearchParams()).body, columns: columns.slice(0, 2), rows: rows.map((row) => row.slice(0, 2)) } };
  }
  if (at === 'GET /settings') return { status: 200, body: told(state) };
  if (at === 'POST /settings/check') return { status: 200, body: { ok: !tomlProblem(body.text), problem: tomlProblem(body.text) } };
  if (at === 'POST /settings/preview') return { status: 200, body: { meta: { data_version: known.data, settings_version: known.settings, program_version: known.program }, events: 131, people: 96, conversions: 11, channels: [{ from: 'Unassigned', to: 'Poster', events: 131, people: 96 }], also: [] } };
  if (at === 'PUT /settings') {
    if (body.version !== state.settings.version) return problem(409, 'conflict', 'The settings changed meanwhile', 'Somebody else saved.', 'Load the new version.', { reason: { code: 'settings_changed' } });
    const wrong = tomlProblem(body.text);
    if (wrong) return { status: 422, body: wrong };
    const version = Math.abs([...body.text].reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) | 0, 7)).toString(16).slice(0, 6);
    state.settings = { text: body.text, version, history: [{ version, time: 1_795_323_600, user: 'ada@example.com', text: body.text }, ...state.settings.history] };
    return { status: 200, body: told(state) };
  }
  if (at === 'POST /build') return { status: 202, body: { job: 1 } };
  if (path.startsWith('/jobs/')) return { status: 200, body: { id: 1, state: 'done', lines: [{ code: 'step', values: { step: 'people' }, text: 'people' }, { code: 'identifiers_changed', values: { people: 3 }, text: '3 people gained or lost identifiers' }] } };
  if (at === 'GET /users') return { status: 200, body: state.users };
  if (at === 'GET /tokens') return { status: 200, body: state.tokens };
  if (at === 'POST /users') return added(state.users, { id: state.users.length + 10, name: body.name, email: body.email, role: body.role, created_at: 1_795_323_600 });
  if (at === 'POST /tokens') return added(state.tokens, { id: state.tokens.length + 10, name: body.name, sql_user: `token_${state.tokens.length + 10}`, created_at: 1_795_323_600, expires_at: body.days ? 1_795_323_600 + body.days * 86_400 : null }, { secret: 'safar_mock_0123456789' });
  const [, list, id] = /^\/(users|tokens)\/(.+)$/.exec(path) ?? [];
  if (list && method === 'DELETE') return (state[list] = state[list].filter((one) => String(one.id) !== id)), { status: 204 };
  if (list && method === 'PATCH') return (state[list] = state[list].map((one) => (String(one.id) === id ? { ...one, ...body } : one))), { status: 200, body: state[list].find((one) => String(one.id) === id) };
  return problem(404, 'not_found', 'There is no such thing', `the stand-in has no answer to ${at}`, null);
}

function live(answer) {
  answer.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const events = people.slice(0, 60).flatMap((person) => person.sessions[0].events.map((event) => ({ name: event.name, channel: person.sessions[0].channel, person: person.id })));
  let turn = 0;
  const send = () => answer.write(`data: ${JSON.stringify({ events: events.slice(turn * 3, turn * 3 + 3).map((event, at) => ({ ...event, time: new Date(Date.parse('2026-11-22T05:00:00Z') + turn * 3000 - at * 700).toISOString() })), per_minute: 41 + (turn % 5), lag_seconds: 1.2 })}\n\n`) && (turn = (turn + 1) % 40);
  send();
  const timer = setInterval(send, 3000);
  answer.on('close', () => clearInterval(timer));
}

/** Starts a server; `setup` begins with the first run. */
export function serve(port = 0, { setup = false, logged = true } = {}) {
  const state = { ...fresh(setup), logged: logged && !setup };
  const server = createServer((request, answer) => {
    const url = new URL(request.url, 'http://mock');
    answer.setHeader('Content-Security-Policy', policy);
    answer.setHeader('X-Content-Type-Options', 'nosniff');
    if (!url.pathname.startsWith('/api/v1')) {
      const file = join(dist, normalize(url.pathname));
      const found = file.startsWith(dist) && extname(file) && existsSync(file) ? file : join(dist, 'index.html');
      if (!existsSync(found)) return void answer.writeHead(503).end('dist/ is missing: run npm run build');
      answer.writeHead(200, { 'Content-Type': types[extname(found)] ?? 'application/octet-stream' });
      return void createReadStream(found).pipe(answer);
    }
    const path = url.pathname.slice('/api/v1'.length);
    if (path === '/live' && state.logged) return void live(answer);
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const unsafe = request.method !== 'GET' && request.headers['x-safar-csrf'] !== 'mock';
      const said = unsafe ? problem(403, 'csrf', 'The request was forged', 'X-Safar-CSRF is missing or wrong.', 'Send the token of GET /session.') : api(state, request.method, path, url.searchParams, text ? JSON.parse(text) : {});
      if (said.raw !== undefined) return void answer.writeHead(said.status, { 'Content-Type': said.type, 'Content-Disposition': `attachment; filename="${said.file}"` }).end(said.raw);
      answer.writeHead(said.status, { 'Content-Type': said.status < 400 ? 'application/json' : 'application/problem+json', ...(said.total === undefined ? {} : { 'X-Safar-Total-Rows': said.total }) }).end(said.body === undefined ? '' : JSON.stringify(said.body));
    });
  });
  return new Promise((ready) => server.listen(port, '127.0.0.1', () => ready({ server, url: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.argv[2] ?? 8099));
  console.log(`The imaginary shop answers at ${url}`);
}
