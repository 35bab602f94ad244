/** Parts of two groups of people, and how sure their difference is. */
const z = 1.959963984540054;

/** Wilson's interval of a part of so many people. */
export function wilson(part: number, people: number): [number, number] {
  if (people <= 0) return [0, 1];
  const p = part / people;
  const spread = z * Math.sqrt((p * (1 - p)) / people + (z * z) / (4 * people * people));
  const scale = 1 + (z * z) / people;
  const middle = p + (z * z) / (2 * people);
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)];
}

/** The difference of two parts with Newcombe's 95 % interval (1998, method 10). */
export function difference(a: number, peopleA: number, b: number, peopleB: number): { value: number; low: number; high: number } {
  const [p, q] = [peopleA ? a / peopleA : 0, peopleB ? b / peopleB : 0];
  const [[lowA, highA], [lowB, highB]] = [wilson(a, peopleA), wilson(b, peopleB)];
  return { value: p - q, low: p - q - Math.hypot(p - lowA, highB - q), high: p - q + Math.hypot(highA - p, q - lowB) };
}
