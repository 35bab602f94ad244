/**
 * `safar.toml` edited in place: only the lines of what changes are touched, so that comments and order stay.
 * Knows what the forms need: scalars and lists of text in sections, keys of whole sections, and entries of `[[lists]]`.
 */

export type Toml = string | number | boolean | string[];

/** A header, a key with its value (which may go on over lines), or a line of anything else; `end` is the line behind it. */
interface Part {
  kind: 'head' | 'pair' | 'other';
  start: number;
  end: number;
  /** Of the header or the key. */
  name: string;
  list: boolean;
  value: string;
  /** The comment behind the value. */
  tail: string;
}

const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$/;
const pair = /^\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=\s*(.*)$/;

/** The value of `section.key`, or undefined where the file does not set it. */
export function read(text: string, section: string, key: string): Toml | undefined {
  const found = find(scan(text.split('\n')), section, key);
  return found ? parse(found.value) : undefined;
}

/** The file with `section.key` set; a commented-out line of that key gives its place, otherwise the section's end. */
export function write(text: string, section: string, name: string, value: Toml | null): string {
  const key = /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
  const lines = text.split('\n');
  const parts = scan(lines);
  const live = find(parts, section, name);
  if (live) {
    lines.splice(live.start, live.end - live.start, ...(value === null ? [] : spelled(lines, live, key, value)));
    return lines.join('\n');
  }
  if (value === null) return text;
  const span = sectionSpan(lines, parts, section);
  if (!span) return `${text.replace(/\n*$/, '\n')}\n[${section}]\n${key} = ${literal(value)}\n`;
  const commented = new RegExp(`^\\s*#\\s*${escaped(key)}\\s*=\\s*(.*)$`);
  for (let at = span.start + 1; at < span.end; at++) {
    const match = commented.exec(lines[at] ?? '');
    if (!match) continue;
    const { tail } = measure(match[1] ?? '');
    lines[at] = `${key} = ${literal(value)}${tail ? ` ${tail}` : ''}`;
    return lines.join('\n');
  }
  let end = span.end;
  while (end > span.start + 1 && lines[end - 1]?.trim() === '') end--;
  lines.splice(end, 0, `${key} = ${literal(value)}`);
  return lines.join('\n');
}

/** Keys that a section sets, each with its raw value. */
export function keys(text: string, section: string): Record<string, string> {
  const found: Record<string, string> = {};
  let inside = false;
  for (const part of scan(text.split('\n'))) {
    if (part.kind === 'head') inside = !part.list && part.name === section;
    else if (inside && part.kind === 'pair') found[part.name] = part.value;
  }
  return found;
}

/** The file with one more entry of the list `name`, before the entries it has, or at the end. */
export function addEntry(text: string, name: string, entry: Record<string, string>): string {
  const block = [`[[${name}]]`, ...Object.entries(entry).map(([key, value]) => `${key} = ${value}`), ''];
  const lines = text.split('\n');
  const first = scan(lines).find((part) => part.kind === 'head' && part.list && part.name === name);
  if (!first) return `${text.replace(/\n*$/, '\n')}\n${block.join('\n')}`;
  lines.splice(first.start, 0, ...block);
  return lines.join('\n');
}

/** The file with one more entry of the list `name`, behind the entries it has, or at the end. */
export function appendEntry(text: string, name: string, entry: Record<string, string>): string {
  const lines = text.split('\n');
  const parts = scan(lines);
  const last = entryParts(parts, name).at(-1);
  if (!last) return addEntry(text, name, entry);
  const end = last.pairs.at(-1)?.end ?? last.head.end;
  lines.splice(end, 0, '', `[[${name}]]`, ...Object.entries(entry).map(([key, value]) => `${key} = ${value}`));
  return lines.join('\n');
}

/** Entries of the list `name`, each with its raw values by key. */
export function entries(text: string, name: string): Record<string, string>[] {
  return entryParts(scan(text.split('\n')), name).map((entry) => Object.fromEntries(entry.pairs.map((one) => [one.name, one.value])));
}

/** The file with `key` of the entry at `index` set to a raw value, or taken out. */
export function writeEntry(text: string, name: string, index: number, key: string, value: string | null): string {
  const lines = text.split('\n');
  const entry = entryParts(scan(lines), name)[index];
  if (!entry) return text;
  const live = entry.pairs.find((one) => one.name === key);
  const line = value === null ? [] : [`${key} = ${value}${live?.tail ? ` ${live.tail}` : ''}`];
  if (live) lines.splice(live.start, live.end - live.start, ...line);
  else lines.splice(entry.pairs.at(-1)?.end ?? entry.head.end, 0, ...line);
  return lines.join('\n');
}

/** The file without the entry at `index` of the list `name`. */
export function removeEntry(text: string, name: string, index: number): string {
  const lines = text.split('\n');
  const parts = scan(lines);
  const entry = entryParts(parts, name)[index];
  if (!entry) return text;
  const next = parts.find((part) => part.kind === 'head' && part.start > entry.head.start);
  lines.splice(entry.head.start, (next?.start ?? lines.length) - entry.head.start);
  return lines.join('\n');
}

/** A value as TOML spells it. */
export function literal(value: Toml): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item)).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** A raw value as what it means; undefined for what the forms do not know, such as inline tables. */
export function parse(value: string): Toml | undefined {
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^[+-]?[\d_]+(\.[\d_]+)?([eE][+-]?\d+)?$/.test(value)) return Number(value.replaceAll('_', ''));
  if (value.startsWith('[')) {
    const all = items(value).map((item) => parse(item.text));
    return all.every((item) => typeof item === 'string') ? (all as string[]) : undefined;
  }
  if (/^("""|''')/.test(value)) return undefined;
  if (/^'[^']*'$/.test(value)) return value.slice(1, -1);
  try {
    const json: unknown = JSON.parse(value);
    return typeof json === 'string' ? json : undefined;
  } catch {
    return undefined;
  }
}

function scan(lines: string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const head = header.exec(line);
    const key = pair.exec(line);
    const part: Part = { kind: 'other', start: at, end: at + 1, name: '', list: false, value: '', tail: '' };
    if (head) Object.assign(part, { kind: 'head', name: head[2], list: head[1] === '[[' });
    else if (key) {
      let text = key[2] ?? '';
      let found = measure(text);
      while (!found.whole && part.end < lines.length) {
        text += `\n${lines[part.end++] ?? ''}`;
        found = measure(text);
      }
      Object.assign(part, { kind: 'pair', name: (key[1] ?? '').replace(/^["']|["']$/g, ''), value: found.value, tail: found.tail });
    }
    parts.push(part);
    at = part.end;
  }
  return parts;
}

/** A value apart from the comment behind it, and whether it ends here; a `#` inside quotes is no comment. */
function measure(text: string): { whole: boolean; value: string; tail: string } {
  let [quote, depth] = ['', 0];
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote) {
      if (char === '\\' && quote[0] === '"') at++;
      else if (text.startsWith(quote, at)) {
        at += quote.length - 1;
        quote = '';
      } else if (char === '\n' && quote.length === 1) quote = '';
    } else if (char === '"' || char === "'") {
      quote = text.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
      at += quote.length - 1;
    } else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === '#') {
      if (depth <= 0) return { whole: true, value: text.slice(0, at).trim(), tail: text.slice(at).trim() };
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    }
  }
  return { whole: depth <= 0 && quote.length < 3, value: text.trim(), tail: '' };
}

/** Items of a list with the lines they stand on, counted from the list's first. */
function items(value: string): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let [quote, depth, line, from] = ['', 0, 0, -1];
  const close = (at: number): void => {
    if (from >= 0) found.push({ text: value.slice(from, at).trim(), line });
    from = -1;
  };
  for (let at = 1; at < value.length; at++) {
    const char = value[at] ?? '';
    if (char === '\n') {
      if (!quote && depth === 0) close(at);
      line++;
    } else if (quote) {
      if (char === '\\' && quote === '"') at++;
      else if (char === quote) quote = '';
    } else if (char === '#') {
      close(at);
      const end = value.indexOf('\n', at);
      at = (end < 0 ? value.length : end) - 1;
    } else if (depth === 0 && (char === ',' || char === ']')) close(at);
    else {
      if (from < 0 && char.trim()) from = at;
      if (char === '"' || char === "'") quote = char;
      else if (char === '[' || char === '{') depth++;
      else if (char === ']' || char === '}') depth--;
    }
  }
  return found;
}

/** The lines that say `key = value` in the place of what was there; a list over many lines keeps them and their comments. */
function spelled(lines: string[], live: Part, key: string, value: Toml): string[] {
  if (!Array.isArray(value) || live.end - live.start === 1 || !live.value.startsWith('[')) return [`${key} = ${literal(value)}${live.tail ? ` ${live.tail}` : ''}`];
  const old = items(live.value);
  const alone = new Map(old.filter((one) => one.line > 0 && old.filter((other) => other.line === one.line).length === 1).map((one) => [parse(one.text), one.line]));
  const indent = /^\s*/.exec(lines[live.start + (old.find((one) => one.line > 0)?.line ?? 1)] ?? '')?.[0] || '  ';
  const used = new Set(old.map((one) => one.line));
  const inner = (line: number): string => lines[live.start + line] ?? '';
  const remarks = (line: number): string[] => {
    const found: string[] = [];
    for (let at = line - 1; at > 0 && !used.has(at) && inner(at).trim().startsWith('#'); at--) found.unshift(inner(at));
    return found;
  };
  const body = value.flatMap((item) => {
    const line = alone.get(item);
    if (line === undefined) return [`${indent}${literal(item)},`];
    const { tail } = measure(inner(line).trim());
    return [...remarks(line), `${indent}${literal(item)},${tail ? ` ${tail}` : ''}`];
  });
  return [`${key} = [`, ...body, ...remarks(live.end - live.start - 1), `]${live.tail ? ` ${live.tail}` : ''}`];
}

function sectionSpan(lines: string[], parts: Part[], section: string): { start: number; end: number } | null {
  const at = parts.findIndex((part) => part.kind === 'head' && !part.list && part.name === section);
  const start = parts[at]?.start;
  if (start === undefined) return null;
  // A table that is commented out ends the section, too: what stands behind it would be read as its own.
  const next = parts.slice(at + 1).find((part) => part.kind === 'head' || header.test((lines[part.start] ?? '').replace(/^\s*#\s*(?=\[)/, '')));
  return { start, end: next?.start ?? lines.length };
}

function find(parts: Part[], section: string, key: string): Part | null {
  let inside = false;
  for (const part of parts) {
    if (part.kind === 'head') inside = !part.list && part.name === section;
    else if (inside && part.kind === 'pair' && part.name === key) return part;
  }
  return null;
}

function entryParts(parts: Part[], name: string): { head: Part; pairs: Part[] }[] {
  const found: { head: Part; pairs: Part[] }[] = [];
  let inside = false;
  for (const part of parts) {
    if (part.kind === 'head') {
      inside = part.list && part.name === name;
      if (inside) found.push({ head: part, pairs: [] });
    } else if (inside && part.kind === 'pair') found.at(-1)?.pairs.push(part);
  }
  return found;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
