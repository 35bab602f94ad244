// Written by `npm run types` from docs/reference/openapi.json; a test says when it is out of date.

/** One line of the audit log. */
export interface AuditView {
  act: unknown;
  at: string;
  detail: Record<string, unknown>;
  who: string;
}

/** What a build says: its code and values for programs and other languages, and the sentence. */
export type BuildNote = BuildNoteKind & { text: string; };

/** Why something was built, and what was found while building. Models as they are spelled in safar.toml. */
export type BuildNoteKind =
  | { code: 'step'; values: { step: Step; }; }
  | { code: 'cut_off'; }
  | { code: 'new_events'; values: { events: number; people: number; }; }
  | { code: 'rules_changed'; values: { events: number; people: number; }; }
  | { code: 'identifiers_changed'; values: { people: number; }; }
  | { code: 'orders_shared'; values: { people: number; }; }
  | { code: 'first_build'; }
  | { code: 'full'; }
  | { code: 'made_otherwise'; }
  | { code: 'priority_changed'; }
  | { code: 'program_changed'; values: { before: string; now: string; }; }
  | { code: 'columns_changed'; }
  | { code: 'settings_changed'; }
  | { code: 'models_changed'; }
  | { code: 'ready_paths'; }
  | { code: 'kept_apart'; values: { identifier: string; namespace: string; other_identifier: string; other_namespace: string; pairs: number; rule: string; }; }
  | { code: 'blocked'; values: { links: number; }; }
  | { code: 'orders_of_several'; values: { orders: number; }; }
  | { code: 'crowded'; values: { example: string; most: number; values: number; }; }
  | { code: 'orders_again'; values: { differing: number; events: number; }; }
  | { code: 'orders_of_others'; values: { events: number; }; }
  | { code: 'refunds_again'; values: { events: number; }; }
  | { code: 'refunds_above_value'; values: { orders: number; }; }
  | { code: 'worth_less_than_nothing'; values: { conversions: number; }; }
  | { code: 'other_currency'; values: { conversions: number; currency: string; }; }
  | { code: 'refunds_of_nothing'; values: { refunds: number; }; }
  | { code: 'causes_not_kept'; values: { models: string[]; }; }
  | { code: 'not_credited'; values: { goal: string; model: string; why: Refusal; }; };

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

/** A build, or an erasure. */
export interface Job {
  id: number;
  lines: BuildNote[];
  problem?: Problem | null;
  removed?: Record<string, unknown> | null;
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
  notes: Note[];
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

/** What a reader must be told beside the numbers: its code and values for programs and other languages, and the sentence. */
export type Note = NoteKind & { text: string; };

/** A sentence. Parts of a whole are 0 to 1, instants and days RFC 3339, models as they are spelled in safar.toml. */
export type NoteKind =
  | { code: 'goal'; values: { goal: string; }; }
  | { code: 'goal_by_day'; values: { goal: string; zone: string; }; }
  | { code: 'goal_at_each_channel'; values: { goal: string; }; }
  | { code: 'goal_by_quarters'; values: { goal: string; }; }
  | { code: 'goal_without_days'; values: { goal: string; untimed: number; untouched: number; }; }
  | { code: 'periods'; values: { before_from: string; before_to: string; from: string; to: string; }; }
  | { code: 'period_alone'; values: { from: string; to: string; }; }
  | { code: 'all_data'; values: { from: string; to: string; }; }
  | { code: 'data_begin'; values: { first: string; }; }
  | { code: 'costs_left_out'; values: { cost: number; currency: string; }; }
  | { code: 'spent_without_credit'; values: { cost: number; model: string; rows: number; }; }
  | { code: 'credit_without_cost'; values: { conversions: number; model: string; rows: number; }; }
  | { code: 'other_currency'; values: { conversions: number; currency: string; }; }
  | { code: 'association'; }
  | { code: 'refused'; values: { model: string; why: Refusal; }; }
  | { code: 'uncalibrated'; values: { model: string; why: Refusal; }; }
  | { code: 'intervals'; values: { level: number; resamples: number; }; }
  | { code: 'settled'; values: { days: number; goal: string; people: number; waiting: number; }; }
  | { code: 'held_against'; values: { alone: number; }; }
  | { code: 'goes_together'; }
  | { code: 'segments'; values: { a: string; b: string; both: number; level: number; }; }
  | { code: 'segment_sizes'; values: { a: number; b: number; goal: string; }; }
  | { code: 'explored'; values: { depth: number; people: number; step: string; way: string; width: number; }; }
  | { code: 'transitions'; }
  | { code: 'funnel'; values: { days: number; open: boolean; order: string; }; }
  | { code: 'dropped'; values: { people: number; step: string; }; }
  | { code: 'comes_by_touch'; }
  | { code: 'comes_by_conversion'; values: { goal: string; }; }
  | { code: 'people'; values: { all: number; shown: number; }; }
  | { code: 'unchecked'; }
  | { code: 'none_recommended'; values: { gain: number; gain_error: number; }; }
  | { code: 'recommended'; values: { gain: number; gain_error: number; model: string; }; }
  | { code: 'ahead'; values: { ahead: number; ahead_error: number; }; }
  | { code: 'recommended_as_simplest'; values: { behind: number; behind_error: number; gain: number; gain_error: number; model: string; within: number; }; }
  | { code: 'learned_from'; values: { from: string; goal: string; split: string; to: string; weeks: number; }; }
  | { code: 'shift'; values: { earlier: number; later: number; p: number; }; }
  | { code: 'causes_by_touch'; }
  | { code: 'prediction_is_not_cause'; }
  | { code: 'experiment'; values: { channels: string[]; control: string; goal: string; level: number; name: string; property: string; }; }
  | { code: 'assigned_by'; values: { event: string; }; }
  | { code: 'counted_by_person'; }
  | { code: 'counted_by_region'; values: { treated: number; ways: number; }; }
  | { code: 'counted_by_drawn_regions'; values: { treated: number; ways: number; }; }
  | { code: 'uneven_arms'; values: { p: number; }; }
  | { code: 'few_converters'; values: { expected: number; }; }
  | { code: 'control_exposed'; values: { share: number; }; }
  | { code: 'too_few_assignments'; values: { p: number; }; }
  | { code: 'in_both_arms'; values: { people: number; }; }
  | { code: 'untransformed'; values: { transforms: string[]; }; }
  | { code: 'explained'; values: { by: string; conversions: number; label: string; value: number; }; }
  | { code: 'explained_by'; values: { goal: string; model: string; }; }
  | { code: 'balance'; values: { conversions: number; unattributed: number; unattributed_value: number; value: number; }; }
  | { code: 'unearned'; values: { conversions: number; }; }
  | { code: 'removal_effect'; values: { chance: number; effect: number; label: string; order: number; states: number; }; }
  | { code: 'removal_credit'; values: { conversions: number; effect: number; sum: number; }; }
  | { code: 'weights_rank'; }
  | { code: 'shares'; values: { conversions: number; sum: number; }; }
  | { code: 'most_shown'; values: { all: number; shown: number; }; };

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
  reason?: Reason | null;
  status: number;
  title: string;
  type: string;
}

/** A query. */
export interface Question {
  query: string;
}

/** Why, where it is one of the reasons that people meet; `detail` and `hint` say the same in English. */
export type Reason =
  | { code: 'needs_role'; values: { role: Role; }; }
  | { code: 'condition_needs_role'; values: { role: Role; }; }
  | { code: 'singles_out'; values: { role: Role; what: string; }; }
  | { code: 'too_many_attempts'; values: { minutes: number; }; }
  | { code: 'build_running'; }
  | { code: 'settings_changed'; }
  | { code: 'set_up_already'; }
  | { code: 'wrong_code'; }
  | { code: 'wrong_password'; }
  | { code: 'account_gone'; }
  | { code: 'password_length'; values: { least: number; most: number; }; }
  | { code: 'address_taken'; values: { email: string; }; }
  | { code: 'no_address'; values: { email: string; }; }
  | { code: 'last_admin'; }
  | { code: 'name_length'; values: { most: number; }; }
  | { code: 'answer_too_large'; values: { megabytes: number; }; }
  | { code: 'no_goal'; values: { goal: string; known: string[]; }; }
  | { code: 'no_paths'; }
  | { code: 'no_person'; values: { id: string; }; }
  | { code: 'too_few'; values: { got: number; least: number; }; }
  | { code: 'untestable'; values: { conversions: number; nulls: number; }; }
  | { code: 'nothing_to_test'; }
  | { code: 'nothing_earned'; values: { model: string; }; }
  | { code: 'see_log'; }
  | { code: 'unknown_setting'; values: { known: string[]; setting: string; }; }
  | { code: 'unknown_value'; values: { known: string[]; setting: string; value: string; }; }
  | { code: 'missing_setting'; values: { found: string; setting: string; }; }
  | { code: 'wrong_kind'; values: { found: string; setting: string; wanted: ValueKind; }; }
  | { code: 'bad_setting'; values: { found: string; setting: string; }; }
  | { code: 'not_toml'; values: { found: string; }; }
  | { code: 'drop_outside'; values: { folder: string; }; }
  | { code: 'no_column'; values: { column: string; known: string[]; }; }
  | { code: 'column_near'; values: { column: string; near: string; }; }
  | { code: 'no_table'; values: { known: string[]; table: string; }; }
  | { code: 'no_function'; values: { function: string; }; }
  | { code: 'ambiguous_column'; values: { column: string; }; }
  | { code: 'not_grouped'; values: { column: string; }; }
  | { code: 'wrong_types'; values: { call: string; }; }
  | { code: 'query_unfinished'; }
  | { code: 'not_understood'; values: { column: number; found: string; line: number; }; }
  | { code: 'not_of_type'; values: { kind: string; value: string; }; }
  | { code: 'division_by_zero'; };

/** Why a model cannot be computed, with the way out. */
export type Refusal =
  | { code: 'too_many_channels'; values: { got: number; most: number; }; }
  | { code: 'too_many_on_path'; values: { got: number; most: number; }; }
  | { code: 'too_many_states'; values: { got: number; most: number; }; }
  | { code: 'too_many_sets'; values: { most: number; sets: number; }; }
  | { code: 'needs_timelines'; }
  | { code: 'not_per_touch'; }
  | { code: 'other'; values: { text: string; }; };

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

/** A change of the settings that was made here, or what the first change after it found: what other programs wrote. */
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

/** What is being done now: by a build, or by what erases and removes, which build at their end. */
export type Step = 'collected' | 'people' | 'new_events' | 'channel_rules' | 'orders' | 'journeys' | 'credits' | 'small_files' | 'who_it_is' | 'requests_and_rejects' | 'files' | 'tables' | 'requests' | 'rejects' | 'events' | 'derived' | 'old_files';

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

/** Kinds of values. */
export type ValueKind = 'positive_whole_number' | 'whole_number' | 'number' | 'text' | 'true_or_false' | 'list';

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
