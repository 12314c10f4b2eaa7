/** Durations and sizes as people write them. */

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
