/**
 * `safar.toml` edited in place: only the lines of what changes are touched, so that comments and order stay.
 * Knows what the forms need: scalars and lists of text in sections, and whole entries of `[[lists]]`.
 */

export type Toml = string | number | boolean | string[];

const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$/;

interface Line {
  at: number;
  value: string;
  tail: string;
}

/** The value of `section.key`, or undefined where the file does not set it. */
export function read(text: string, section: string, key: string): Toml | undefined {
  const found = find(text.split('\n'), section, key, false);
  return found ? parse(found.value) : undefined;
}

/** The file with `section.key` set; a commented-out line of that key gives its place, otherwise the section's end. */
export function write(text: string, section: string, key: string, value: Toml | null): string {
  const lines = text.split('\n');
  const live = find(lines, section, key, false);
  if (value === null) {
    if (live) lines.splice(live.at, 1);
    return lines.join('\n');
  }
  const place = live ?? find(lines, section, key, true);
  if (place) {
    lines[place.at] = `${key} = ${literal(value)}${place.tail ? ` ${place.tail}` : ''}`;
    return lines.join('\n');
  }
  const span = sectionSpan(lines, section);
  if (!span) return `${text.replace(/\n*$/, '\n')}\n[${section}]\n${key} = ${literal(value)}\n`;
  let end = span.end;
  while (end > span.start + 1 && lines[end - 1]?.trim() === '') end--;
  lines.splice(end, 0, `${key} = ${literal(value)}`);
  return lines.join('\n');
}

/** The file with one more entry of the list `name`, before the entries it has, or at the end. */
export function addEntry(text: string, name: string, entry: Record<string, string>): string {
  const block = [`[[${name}]]`, ...Object.entries(entry).map(([key, value]) => `${key} = ${value}`), ''];
  const lines = text.split('\n');
  const first = lines.findIndex((line) => header.exec(line)?.[1] === '[[' && header.exec(line)?.[2] === name);
  if (first >= 0) lines.splice(first, 0, ...block);
  else return `${text.replace(/\n*$/, '\n')}\n${block.join('\n')}`;
  return lines.join('\n');
}

/** Entries of the list `name`, each with its raw values by key. */
export function entries(text: string, name: string): Record<string, string>[] {
  const found: Record<string, string>[] = [];
  let current: Record<string, string> | null = null;
  for (const line of text.split('\n')) {
    const head = header.exec(line);
    if (head) {
      current = head[1] === '[[' && head[2] === name ? {} : null;
      if (current) found.push(current);
      continue;
    }
    const pair = /^\s*([A-Za-z0-9_-]+)\s*=\s*(.+)$/.exec(line);
    if (current && pair?.[1] && pair[2]) current[pair[1]] = splitTail(pair[2]).value;
  }
  return found;
}

/** The file without the entry at `index` of the list `name`. */
export function removeEntry(text: string, name: string, index: number): string {
  const lines = text.split('\n');
  let seen = -1;
  const start = lines.findIndex((line) => header.exec(line)?.[1] === '[[' && header.exec(line)?.[2] === name && ++seen === index);
  if (start < 0) return text;
  let end = start + 1;
  while (end < lines.length && !header.test(lines[end] ?? '')) end++;
  lines.splice(start, end - start);
  return lines.join('\n');
}

/** A value as TOML spells it. */
export function literal(value: Toml): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item)).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function sectionSpan(lines: string[], section: string): { start: number; end: number } | null {
  const start = lines.findIndex((line) => header.exec(line)?.[1] === '[' && header.exec(line)?.[2] === section);
  if (start < 0) return null;
  let end = start + 1;
  while (end < lines.length && !header.test((lines[end] ?? '').replace(/^\s*#\s*(?=\[)/, ''))) end++;
  return { start, end };
}

function find(lines: string[], section: string, key: string, commented: boolean): Line | null {
  const span = sectionSpan(lines, section);
  if (!span) return null;
  const pattern = new RegExp(`^\\s*${commented ? '#\\s*' : ''}${key}\\s*=\\s*(.+)$`);
  for (let at = span.start + 1; at < span.end; at++) {
    const match = pattern.exec(lines[at] ?? '');
    if (match?.[1]) return { at, ...splitTail(match[1]) };
  }
  return null;
}

/** A value apart from the comment behind it; a `#` inside quotes is no comment. */
function splitTail(text: string): { value: string; tail: string } {
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote) {
      if (char === '\\' && quote === '"') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '#') return { value: text.slice(0, at).trim(), tail: text.slice(at).trim() };
  }
  return { value: text.trim(), tail: '' };
}

function parse(value: string): Toml | undefined {
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^[+-]?[\d_]+(\.[\d_]+)?([eE][+-]?\d+)?$/.test(value)) return Number(value.replaceAll('_', ''));
  if (value.startsWith("'")) return value.slice(1, -1);
  try {
    const json: unknown = JSON.parse(value.replace(/,\s*\]$/, ']'));
    if (typeof json === 'string') return json;
    if (Array.isArray(json) && json.every((item) => typeof item === 'string')) return json as string[];
  } catch {
    return undefined;
  }
  return undefined;
}
