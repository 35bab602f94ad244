// Written by `npm run types` from docs/reference/openapi.json; a test says when it is out of date.

/** One line of the audit log. */
export interface AuditView {
  act: unknown;
  at: string;
  detail: Record<string, unknown>;
  who: string;
}

/** A build. */
export interface BuildView {
  time: number;
}

/** What changes about a user; the rest stays. */
export interface Change {
  name?: string | null;
  password?: string | null;
  role?: Role | null;
}

/** Who changed the settings when. */
export interface Changed {
  time: number;
  user: string;
  version: string;
}

/** Whether a text could be used. */
export interface Checked {
  ok: boolean;
  problem?: Problem | null;
}

/** What kind of problem; programs look at this. */
export type Code = 'bad_request' | 'bad_query' | 'read_only' | 'login_needed' | 'wrong_password' | 'not_allowed' | 'csrf' | 'not_found' | 'wrong_method' | 'conflict' | 'too_large' | 'bad_settings' | 'not_computable' | 'too_many_attempts' | 'out_of_memory' | 'busy' | 'internal';

/** A column. */
export interface Column {
  name: string;
  type: Kind;
  unit?: string | null;
}

/** A column of a table. */
export type ColumnView = Column & { help: string; };

/** That erasing is meant. */
export interface Confirmation {
  person: string;
}

/** Everything that is known of one person: rows by part. */
export type ExportView = Record<string, unknown>;

/** A build. */
export interface Job {
  id: number;
  lines: string[];
  state: State;
}

/** What the cells of a column are. */
export type Kind = 'text' | 'number' | 'integer' | 'time' | 'bool';

/** A login. */
export interface Login {
  email: string;
  password: string;
}

/** How an answer came about. */
export interface Meta {
  cached: boolean;
  data_version: string;
  from?: string | null;
  goal?: string | null;
  notes: string[];
  program_version: string;
  report: string;
  seed?: number | null;
  settings_version: string;
  to?: string | null;
  took_ms: number;
}

/** A model. */
export interface ModelView {
  causal: boolean;
  chosen: boolean;
  help: string;
  name: string;
  shares_of_four?: number[] | null;
  spec: string;
}

/** Events that would go from one channel to another. */
export interface MovedView {
  events: number;
  from?: string | null;
  people: number;
  to?: string | null;
}

/** A change of one's own password. */
export interface NewPassword {
  current: string;
  new: string;
}

/** A token when it is made. */
export type NewToken = Token & { secret: string; };

/** A user to be made. */
export interface NewUser {
  email: string;
  name: string;
  password: string;
  role: Role;
}

/** Everything about one person. */
export interface PersonView {
  conversions: Record<string, unknown>[];
  identifiers: Record<string, unknown>[];
  meta: Versions;
  person: Record<string, unknown>;
  sessions: Record<string, unknown>[];
  timeline: Record<string, unknown>[];
  timeline_rows: number;
}

/** What a build with other settings would change. */
export interface PreviewView {
  also: string[];
  channels: MovedView[];
  conversions: number;
  events: number;
  meta: Versions;
  people: number;
}

/** The body of every answer that is no success, as `application/problem+json`. */
export interface Problem {
  code: Code;
  column?: number | null;
  detail: string;
  file?: string | null;
  hint?: string | null;
  line?: number | null;
  status: number;
  title: string;
  type: string;
}

/** A query. */
export interface Question {
  query: string;
}

/** New settings. */
export interface Replacement {
  text: string;
  version: string;
}

/** What a user may do; each role may do what those before it may. */
export type Role = 'viewer' | 'analyst' | 'admin';

/** Who is logged in. */
export interface SessionView {
  csrf: string;
  locale: string;
  setup_needed: boolean;
  user?: User | null;
}

/** A change of the settings that was made here; changes by other programs are in the files' own history. */
export interface SettingsVersion {
  text: string;
  time: number;
  user: string;
  version: string;
}

/** The settings. */
export interface SettingsView {
  history: Changed[];
  text: string;
  version: string;
}

/** The first account. */
export interface Setup {
  code: string;
  email: string;
  name: string;
  password: string;
}

/** A build that was started. */
export interface Started {
  job: number;
}

/** How far a job is. */
export type State = 'running' | 'done' | 'failed';

/** A table of SQL. */
export interface TableView {
  columns: ColumnView[];
  help: string;
  name: string;
}

/** A text of settings. */
export interface Text {
  text: string;
}

/** A token as its owner sees it later: without the secret. */
export interface Token {
  created_at: number;
  expires_at?: number | null;
  id: number;
  name: string;
  sql_user: string;
}

/** A token to be made. */
export interface TokenWish {
  days?: number | null;
  name: string;
}

/** A user. */
export interface User {
  created_at: number;
  email: string;
  id: number;
  name: string;
  role: Role;
}

/** What an answer was made from that is no report. */
export interface Versions {
  data_version: string;
  program_version: string;
  settings_version: string;
}

/** A page of a report. */
export interface View {
  columns: Column[];
  extra: Record<string, unknown>;
  meta: Meta;
  rows: unknown[][];
  total_rows: number;
}

/** The workspace. */
export interface WorkspaceView {
  currency: string;
  data_version: string;
  dimensions: string[];
  events: unknown;
  first_day?: string | null;
  goals: string[];
  last_build?: BuildView | null;
  last_day?: string | null;
  locale: string;
  models: ModelView[];
  name: string;
  people: unknown;
  program_version: string;
  settings_version: string;
  time_zone: string;
}
