/** Sizes in docker's words. */

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Bytes in decimal units with `digits` significant digits, no trailing zeros: `1.23MB`. */
export function humanSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  // What would round up to 1000 belongs to the next unit.
  while (unit < sizeUnits.length - 1 && Number(value.toPrecision(digits)) >= 1000) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${sizeUnits[unit]}`;
}
