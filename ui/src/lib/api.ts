/** The server's answers, as its contract (`/api/v1/openapi.json`) has them, and the one way to ask for them. */
import type * as contract from './contract';

export type Cell = string | number | boolean | null;
export type Params = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** RFC 9457: what went wrong, and the way out. The screens make some of their own, with codes that no server sends. */
export type Problem = Pick<contract.Problem, 'type' | 'title' | 'status' | 'line' | 'column' | 'file' | 'hint' | 'reason'> & { detail?: string; code?: contract.Code | 'offline' | 'screen' };

/** `unit` is an ISO 4217 code, `percent` (a part of 1), `seconds`, `people` … */
export type Column = Required<contract.Column>;
export type Meta = contract.Meta;
export type Report = Omit<contract.View, 'columns' | 'rows' | 'extra'> & { columns: Column[]; rows: Cell[][]; extra?: Record<string, unknown> };
export type Session = Omit<contract.SessionView, 'user' | 'locale'> & { user: Pick<contract.User, 'name' | 'email' | 'role'> | null; locale: string | null };
export type Role = contract.Role;

/** `shares_of_four`: what four touches, a day apart, would get; not told of models that learn. */
export type ModelInfo = contract.ModelView & { shares_of_four?: (number | null)[] | null };
export type Workspace = Required<Omit<contract.WorkspaceView, 'models' | 'events' | 'people' | 'locale'>> & { models: ModelInfo[]; events: number; people: number; locale: string | null };

export type Person = Omit<contract.PersonView, 'person' | 'identifiers' | 'sessions' | 'timeline' | 'conversions'> & {
  person: Record<string, Cell>;
  identifiers: { namespace: string; identifier: string; first_seen: string | null; last_seen: string | null; why: string | null; tie?: string | null; tie_namespace?: string | null; tie_identifier?: string | null; tie_at?: string | null; tie_source?: string | null }[];
  sessions: Record<string, Cell>[];
  timeline: Record<string, Cell>[];
  /** How many events there are; `timeline` is a page of them. */
  timeline_rows?: number;
  conversions: Record<string, Cell>[];
};

export interface Live {
  events: { time: string; name: string; channel: string | null; person?: string | null }[];
  per_minute: number;
  lag_seconds: number | null;
}

export type Settings = contract.SettingsView;

/** What other settings would change; `channels` has no name for events that are no touches. */
export type Effect = Omit<contract.PreviewView, 'also'> & { also: ('journeys' | 'identity' | 'models')[] };

/** A refusal of the server, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

const base = '/api/v1';
let csrf = '';

/** The token that every request that changes something must carry; `GET /session` tells it. */
export function keepCsrf(token: string): void {
  csrf = token;
}

/** Writes parameters as a query; what is null, undefined or empty is left out, lists repeat. */
export function query(params: Params): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === '') continue;
    if (typeof value === 'object') for (const item of value) search.append(name, item);
    else search.append(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

export function reportUrl(name: string, params: Params): string {
  return `${base}/reports/${encodeURIComponent(name)}${query(params)}`;
}

/** Asks the server. Throws {@link ApiError} for a refusal, and the `AbortError` of `signal`. */
export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await send(method, path, body, signal);
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  return (text ? parse(text) : undefined) as T;
}

export interface Page<T> { rows: T[]; total: number }

/** A page of a list, and how many rows the whole has. */
export async function page<T>(path: string, limit: number, offset: number, signal?: AbortSignal): Promise<Page<T>> {
  const answer = await send('GET', path + query({ limit, offset }), undefined, signal);
  const rows = parse(await answer.text()) as T[];
  return { rows, total: Number(answer.headers.get('x-safar-total-rows') ?? offset + rows.length) };
}

/** Every row of a list, page by page. */
export async function everyRow<T>(path: string): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const { rows, total } = await page<T>(path, 10_000, found.length);
    found.push(...rows);
    if (rows.length === 0 || found.length >= total) return found;
  }
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Safar-CSRF'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(base + path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ type: 'about:blank', title: 'offline', status: 0, code: 'offline' });
  }
  if (!answer.ok) throw new ApiError(await problemOf(answer));
  return answer;
}

/** A file that the server makes of a request with a body; links cannot send one. */
export async function file(path: string, body: unknown, signal?: AbortSignal): Promise<Blob> {
  return (await send('POST', path, body, signal)).blob();
}

/** JSON in which whole numbers beyond 2⁵³ (63-bit ids) stay exact, as text. */
export function parse(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const exact = (_: string, value: unknown, context?: { source: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && context && /^-?\d+$/.test(context.source) ? context.source : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

async function problemOf(answer: Response): Promise<Problem> {
  const plain: Problem = { type: 'about:blank', title: answer.statusText || String(answer.status), status: answer.status };
  if (!answer.headers.get('content-type')?.includes('json')) return plain;
  try {
    return { ...plain, ...((await answer.json()) as Partial<Problem>) };
  } catch {
    return plain;
  }
}

export type Row = Record<string, Cell>;

/** Rows by column name. */
export function records(report: Report | null | undefined): Row[] {
  if (!report) return [];
  return report.rows.map((row) => Object.fromEntries(report.columns.map((column, at) => [column.name, row[at] ?? null])));
}

export const num = (cell: Cell | undefined): number => (typeof cell === 'number' ? cell : Number(cell ?? 0) || 0);
export const text = (cell: Cell | undefined): string => (cell === null || cell === undefined ? '' : String(cell));
