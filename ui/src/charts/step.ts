/** Reading a chart by keyboard: the next of so many marks, or null where the key is not one of these. */
export function step(key: string, now: number | null, count: number, rtl: boolean): number | null {
  const by = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[key];
  if (by === undefined || count === 0) return null;
  if (now === null) return by > 0 && by !== Infinity ? 0 : by === -Infinity ? 0 : count - 1;
  return Math.max(0, Math.min(count - 1, now + by));
}
