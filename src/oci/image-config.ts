/** Image configuration (OCI image spec, config.md) with Docker's extension fields. */
import { checkDigest } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { checkArray, checkBoolean, checkInteger, checkMap, checkObject, checkString, checkTime, fail, optional, parseJsonObject, required, stringMap, strings } from './json-document.ts';
import type { JsonObject, Place } from './json-document.ts';

export interface Healthcheck {
  /** `["NONE"]`, `["CMD", ...]` or `["CMD-SHELL", text]`. */
  Test?: string[];
  /** Nanoseconds; absent or 0 = inherit. */
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** What a container of the image starts with. Names and order are the specification's. */
export interface ContainerConfig {
  User?: string;
  /** `{"80/tcp": {}}`. */
  ExposedPorts?: Record<string, Record<string, never>>;
  /** `NAME=value`, in order. */
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, Record<string, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  /** Docker: true when Cmd is one shell command line. */
  ArgsEscaped?: boolean;
  Healthcheck?: Healthcheck;
  OnBuild?: string[];
  Shell?: string[];
}

export interface History {
  /** RFC 3339. */
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

export interface ImageConfig {
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  'os.version'?: string;
  'os.features'?: string[];
  config?: ContainerConfig;
  rootfs: { type: 'layers'; diff_ids: Digest[] };
  history?: History[];
}

/** Reads an image's configuration; members that are not known stay as they are. Throws DOCUMENT. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  return checkImageConfig(...parseJsonObject(bytes, 'image configuration', false));
}

export function checkImageConfig(object: JsonObject, place: Place): ImageConfig {
  required(object, 'architecture', place, checkString);
  required(object, 'os', place, checkString);
  for (const name of ['author', 'variant', 'os.version']) optional(object, name, place, checkString);
  optional(object, 'os.features', place, strings);
  optional(object, 'created', place, checkTime);
  optional(object, 'config', place, checkContainerConfig);
  required(object, 'rootfs', place, checkRootfs);
  optional(object, 'history', place, (history, at) => checkArray(history, at, checkHistory));
  return object as unknown as ImageConfig;
}

function checkRootfs(value: unknown, place: Place): void {
  const rootfs = checkObject(value, place);
  required(rootfs, 'type', place, (type, at) => {
    if (type !== 'layers') throw fail(at, 'is not "layers"');
  });
  if (!place.strict) rootfs.diff_ids ??= [];
  required(rootfs, 'diff_ids', place, (ids, at) => checkArray(ids, at, place.strict ? checkString : checkDigest));
}

function checkHistory(value: unknown, place: Place): void {
  const entry = checkObject(value, place);
  optional(entry, 'created', place, checkTime);
  for (const name of ['created_by', 'author', 'comment']) optional(entry, name, place, checkString);
  optional(entry, 'empty_layer', place, checkBoolean);
}

function checkContainerConfig(value: unknown, place: Place): void {
  const config = checkObject(value, place);
  for (const name of ['User', 'WorkingDir', 'StopSignal']) optional(config, name, place, checkString);
  for (const name of ['Entrypoint', 'Cmd']) optional(config, name, place, orNull(strings));
  optional(config, 'Env', place, (env, at) => checkArray(env, at, checkVariable));
  optional(config, 'ExposedPorts', place, emptyObjects);
  optional(config, 'Volumes', place, orNull(emptyObjects));
  optional(config, 'Labels', place, orNull(stringMap));
  optional(config, 'ArgsEscaped', place, checkBoolean);
  for (const name of ['OnBuild', 'Shell']) optional(config, name, place, orNull(strings));
  optional(config, 'Healthcheck', place, orNull(checkHealthcheck));
}

function checkHealthcheck(value: unknown, place: Place): void {
  const check = checkObject(value, place);
  optional(check, 'Test', place, orNull(strings));
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries']) {
    optional(check, name, place, (number, at) => checkInteger(number, at, 0));
  }
}

function checkVariable(value: unknown, place: Place): void {
  // Docker also keeps a bare name, which means an unset variable; the specification does not.
  if (!checkString(value, place).includes('=') && place.strict) throw fail(place, 'is not of the form NAME=value');
}

function emptyObjects(value: unknown, place: Place): void {
  const map = value as JsonObject;
  if (!place.strict && typeof map === 'object' && map !== null) for (const name of Object.keys(map)) map[name] ??= {};
  checkMap(value, place, checkObject);
}

/** The schema allows null in a few places; elsewhere it was removed before, or is refused. */
function orNull(check: (value: unknown, place: Place) => unknown): (value: unknown, place: Place) => void {
  return (value, place) => {
    if (value !== null) check(value, place);
  };
}
