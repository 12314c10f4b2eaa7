/** Go's `fmt.Sprintf`, the verbs that make sense for text, numbers and lists. */
import { isMap, printValue } from './value.ts';

const verb = /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g;

export function goPrintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(verb, (_all, flags: string, width: string | undefined, precision: string | undefined, letter: string) => {
    if (letter === '%') return '%';
    if (next >= values.length) return `%!${letter}(MISSING)`;
    const shown = formatOne(letter, values[next++], flags, precision === undefined ? undefined : Number(precision));
    const size = Math.min(Number(width ?? 0), 10_000);
    if (flags.includes('-')) return shown.padEnd(size);
    const zeros = flags.includes('0') && /^[-+]?[\d.]+$/.test(shown);
    if (!zeros) return shown.padStart(size);
    const sign = /^[-+]/.test(shown) ? shown[0]! : '';
    return sign + shown.slice(sign.length).padStart(size - sign.length, '0');
  });
  const extra = values.slice(next).map((value) => `${goType(value)}=${printValue(value, false)}`);
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(', ')})` : text;
}

function formatOne(letter: string, value: unknown, flags: string, precision: number | undefined): string {
  const wrong = (): string => `%!${letter}(${goType(value)}=${printValue(value, false)})`;
  const plus = typeof value === 'number' && flags.includes('+') && value >= 0 ? '+' : '';
  switch (letter) {
    case 'v':
      return flags.includes('#') ? JSON.stringify(value) : plus + printValue(value, false);
    case 's': {
      if (typeof value === 'number' || typeof value === 'boolean') return wrong();
      const shown = printValue(value, false);
      return precision === undefined ? shown : Array.from(shown).slice(0, precision).join('');
    }
    case 'q':
      if (Array.isArray(value)) return `[${value.map((item) => formatOne('q', item, flags, undefined)).join(' ')}]`;
      return typeof value === 'string' ? JSON.stringify(value) : wrong();
    case 'd':
      return typeof value === 'number' ? plus + String(Math.trunc(value)) : wrong();
    case 'f':
    case 'F':
      return typeof value === 'number' ? plus + value.toFixed(Math.min(precision ?? 6, 100)) : wrong();
    case 'g':
      return typeof value === 'number' ? plus + (precision === undefined ? String(value) : String(Number(value.toPrecision(Math.max(1, Math.min(precision, 100)))))) : wrong();
    case 'e':
      return typeof value === 'number' ? value.toExponential(Math.min(precision ?? 6, 100)).replace(/e([+-])(\d)$/, 'e$10$2') : wrong();
    case 'x':
    case 'X': {
      const hex = typeof value === 'number' ? Math.trunc(value).toString(16) : typeof value === 'string' ? Buffer.from(value).toString('hex') : undefined;
      if (hex === undefined) return wrong();
      return letter === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
    case 'b':
      return typeof value === 'number' ? Math.trunc(value).toString(letter === 'o' ? 8 : 2) : wrong();
    case 'c':
      return typeof value === 'number' ? String.fromCodePoint(value) : wrong();
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong();
    case 'T':
      return goType(value);
    default:
      return wrong();
  }
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (isMap(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
