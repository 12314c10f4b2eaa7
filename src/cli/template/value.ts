/** Values of templates as Go sees and prints them. Plain data: null, booleans, numbers, strings, arrays, objects. */

const mark = Symbol('struct');

/** Marks an object as a Go struct: asking for a field that it has not is an error, and not an empty value. */
export function asStruct<T extends object>(value: T): T {
  Object.defineProperty(value, mark, { value: true });
  return value;
}

export function isStruct(value: unknown): boolean {
  return typeof value === 'object' && value !== null && mark in value;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go's idea of an empty value: false, 0, nothing, and what has no elements. A struct is never empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return isStruct(value) || Object.keys(value).length > 0;
  return Boolean(value);
}

/** Go's `%v`. */
export function printValue(value: unknown, top = true): string {
  if (value === undefined || value === null) return top ? '<no value>' : '<nil>';
  if (Array.isArray(value)) return `[${value.map((item) => printValue(item, false)).join(' ')}]`;
  if (isStruct(value)) return `{${Object.values(value as object).map((item) => printValue(item, false)).join(' ')}}`;
  if (isMap(value)) {
    const members = Object.keys(value).sort().map((key) => `${key}:${printValue(value[key], false)}`);
    return `map[${members.join(' ')}]`;
  }
  return String(value as string | number | boolean);
}

/** For messages. */
export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'number' ? 'a number' : typeof value === 'string' ? 'a string' : 'a truth value';
}
