/** Reading JSON documents from outside: bounded nesting, and errors that name the place (`$.layers[2].size`). */
import { SiruError } from '../base/errors.ts';

/** Deepest nesting of objects and arrays that is read. Real documents have fewer than ten. */
export const maxNesting = 100;

/** What a check needs to know besides the value. */
export interface Place {
  /** The kind of document, for messages: `manifest`. */
  what: string;
  /** `$`, `$.config`, `$.layers[2]`. */
  path: string;
  /**
   * True: by the specification's schemas. False: also what Go programs write for absent things (null for an empty list, a
   * map or a text) and what old images contain; nulls are removed.
   */
  strict: boolean;
}

export type JsonObject = Record<string, unknown>;

/** Parses UTF-8 JSON whose top is an object. Throws DOCUMENT. */
export function parseJsonObject(bytes: Uint8Array, what: string, strict: boolean): [JsonObject, Place] {
  const place: Place = { what, path: '$', strict };
  if (exceedsNesting(bytes)) throw fail(place, `is nested more than ${maxNesting} deep`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new SiruError('DOCUMENT', `${what}: not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  return [checkObject(value, place), place];
}

export function fail(place: Place, why: string, hint?: string): SiruError {
  return new SiruError('DOCUMENT', `${place.what}: ${place.path} ${why}`, { hint });
}

export function member(place: Place, name: string): Place {
  return { ...place, path: /^[A-Za-z_]\w*$/.test(name) ? `${place.path}.${name}` : `${place.path}[${JSON.stringify(name.slice(0, 200))}]` };
}

export function checkObject(value: unknown, place: Place): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(place, `is ${nameOf(value)}, not an object`);
  const object = value as JsonObject;
  if (!place.strict) for (const name of Object.keys(object)) if (object[name] === null) delete object[name];
  return object;
}

export function checkString(value: unknown, place: Place): string {
  if (typeof value !== 'string') throw fail(place, `is ${nameOf(value)}, not a string`);
  return value;
}

export function checkBoolean(value: unknown, place: Place): boolean {
  if (typeof value !== 'boolean') throw fail(place, `is ${nameOf(value)}, not true or false`);
  return value;
}

/** A whole number from `least` that JavaScript represents exactly. */
export function checkInteger(value: unknown, place: Place, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw fail(place, `is ${typeof value === 'number' ? value : nameOf(value)}, not a whole number from ${least} to 2^53 - 1`);
  }
  return value as number;
}

/** Calls `check` for every item and gives the array. */
export function checkArray(value: unknown, place: Place, check: (item: unknown, place: Place) => unknown): unknown[] {
  if (!Array.isArray(value)) throw fail(place, `is ${nameOf(value)}, not an array`);
  for (const [position, item] of value.entries()) check(item, { ...place, path: `${place.path}[${position}]` });
  return value;
}

/** Calls `check` for every member and gives the object. */
export function checkMap(value: unknown, place: Place, check: (item: unknown, place: Place) => unknown): JsonObject {
  const object = checkObject(value, place);
  for (const name of Object.keys(object)) check(object[name], member(place, name));
  return object;
}

/** Checks a member when it is there. */
export function optional(object: JsonObject, name: string, place: Place, check: (value: unknown, place: Place) => unknown): void {
  if (Object.hasOwn(object, name)) check(object[name], member(place, name));
}

/** Checks a member that must be there. */
export function required(object: JsonObject, name: string, place: Place, check: (value: unknown, place: Place) => unknown): void {
  if (!Object.hasOwn(object, name)) throw fail(member(place, name), 'is missing');
  check(object[name], member(place, name));
}

export const strings = (value: unknown, place: Place): unknown => checkArray(value, place, checkString);
export const stringMap = (value: unknown, place: Place): unknown => checkMap(value, place, checkString);

/** An RFC 3339 time. */
export function checkTime(value: unknown, place: Place): string {
  const text = checkString(value, place);
  if (place.strict && !(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)))) {
    throw fail(place, 'is not a time like 2015-10-31T22:22:56Z');
  }
  return text;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Counts brackets outside strings before the parser sees them. */
function exceedsNesting(bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxNesting) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}
