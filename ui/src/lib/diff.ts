/** Lines that two texts differ by: the longest common sequence stays, the rest is taken out or put in. */
export interface Line { sign: ' ' | '-' | '+'; text: string }

export function diff(before: string, after: string): Line[] {
  let [a, b] = [before.split('\n'), after.split('\n')];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const kept = (lines: string[]): Line[] => lines.map((text) => ({ sign: ' ', text }));
  const [first, last] = [a.slice(0, head), tail ? a.slice(-tail) : []];
  [a, b] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  // Texts that have next to nothing in common are not worth a table of millions of cells.
  if (a.length * b.length > 4_000_000) return [...kept(first), ...a.map((text): Line => ({ sign: '-', text })), ...b.map((text): Line => ({ sign: '+', text })), ...kept(last)];
  const most = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => most[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) most[i]![j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const middle: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      middle.push({ sign: ' ', text: a[i++] ?? '' });
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) middle.push({ sign: '-', text: a[i++] ?? '' });
    else middle.push({ sign: '+', text: b[j++] ?? '' });
  }
  return [...kept(first), ...middle, ...kept(last)];
}

/** What changed with so many lines round it; null stands for lines that are left out. */
export function changes(lines: Line[], round = 2): (Line | null)[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - round), at + round + 1).some((line) => line.sign !== ' '));
  return lines.flatMap((line, at) => (near[at] ? [line] : at > 0 && !near[at - 1] ? [] : [null]));
}
