/** Room for a chart, measured once it is on the screen; before that, a phone's. */
export const firstWidth = 340;

/** Round numbers from 0 up to at least `most`, four or so. */
export function ticks(most: number, count = 4): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const last = Math.ceil(most / step - 1e-9);
  return Array.from({ length: last + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** A text that fits, roughly, into so many pixels at 12 px; set apart, so that "/boots" keeps its slash in front in Persian, too. */
export function fit(text: string, width: number): string {
  const most = Math.max(3, Math.floor(width / 6.6));
  return `\u2068${text.length <= most ? text : `${text.slice(0, most - 1)}…`}\u2069`;
}
