/** Sizes and times in docker's words. */

export { ago, humanDuration } from '../base/human-duration.ts';
export { humanSize } from '../base/human-size.ts';
export { parseBytes, parseDuration, parseSize } from '../base/parse-units.ts';

/** How long something took, for progress: `0.3s`, `75.2s`. */
export function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;
}

/** Milliseconds as Go prints times in lists, in UTC: `2024-05-06 07:08:09 +0000 UTC`. */
export function goTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
