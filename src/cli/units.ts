/** Sizes and times in docker's words. */

export { humanSize } from '../base/human-size.ts';

/** A length of time as docker tells ages: `About an hour`, `3 weeks`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(milliseconds / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(milliseconds / 3_600_000 / 24 / 365)} years`;
}

/** `3 weeks ago`; `N/A` when the time is unknown. */
export function ago(time: number | undefined, now: number): string {
  return time === undefined || Number.isNaN(time) ? 'N/A' : `${humanDuration(Math.max(0, now - time))} ago`;
}

/** How long something took, for progress: `0.3s`, `75.2s`. */
export function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;
}

/** Milliseconds as Go prints times in lists, in UTC: `2024-05-06 07:08:09 +0000 UTC`. */
export function goTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** `24h`, `1h30m`, `90s`, `7d` in milliseconds; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) total += Number(count) * units[unit!]!;
  return total;
}

/** `64m`, `1g`, `1.5GiB`, plain bytes: bytes in binary units, as docker reads memory sizes; undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])i?)?b?$/i.exec(text.trim());
  if (!found) return undefined;
  const power = found[2] === undefined ? 0 : 'kmgtp'.indexOf(found[2].toLowerCase()) + 1;
  return Math.floor(Number(found[1]) * 1024 ** power);
}

/** `200MB`, `1.5GiB`, `10k`, plain bytes: decimal units unless they are written with an i, as sizes are shown; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(i)?)?b?$/i.exec(text.trim());
  if (!found) return undefined;
  const power = found[2] === undefined ? 0 : 'kmgtp'.indexOf(found[2].toLowerCase()) + 1;
  return Math.floor(Number(found[1]) * (found[3] === undefined ? 1000 : 1024) ** power);
}
