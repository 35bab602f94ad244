// Texts that the stand-in serves as they are.
export const tomlText = `# The settings of this workspace.

[workspace]
name = "coats-and-boots"
time_zone = "Europe/Warsaw"   # where days begin
currency = "EUR"

[sessions]
preset = "ga4"           # ga4, universal-analytics, matomo or adobe
# idle_minutes = 30          # a longer pause starts a new session
# cut_at_midnight = false

[[goals]]
name = "purchase"
events = ["purchase"]

[[goals]]
name = "sign-up"
events = ["sign_up"]
count = "once-per-person"

[windows]
click_days = 30          # clicks, visits and offline touches
view_days = 1
# count_again = false

[channels]
own_domains = ["coats.example", "boots.example"]
ignored_referrers = []

[[channels.rules]]
channel = "Influencer"
when = { medium = "influencer" }

[attribution]
models = ["first", "last", "last_non_direct", "linear", "position", "time_decay", "markov"]
`;

const columns = (...list) => list.map(([name, type, help]) => ({ name, type, help }));
export const tables = [
  { name: 'events', help: 'Everything that happened, as it was told.', columns: columns(['event_id', 'text', 'the event'], ['name', 'text', 'what happened'], ['occurred_at', 'time', 'when it happened'], ['channel', 'text', 'channel group'], ['value', 'number', 'worth']) },
  { name: 'sessions', help: 'Runs of events without a long pause.', columns: columns(['session_id', 'integer', ''], ['person_id', 'integer', ''], ['started_at', 'time', ''], ['channel', 'text', '']) },
  { name: 'conversions', help: 'Goals reached.', columns: columns(['conversion_id', 'integer', ''], ['goal', 'text', ''], ['occurred_at', 'time', ''], ['value', 'number', '']) },
  { name: 'paths', help: 'Touches before each outcome.', columns: columns(['person_id', 'integer', ''], ['channels', 'text', ''], ['conversions', 'number', ''], ['value', 'number', '']) },
];
