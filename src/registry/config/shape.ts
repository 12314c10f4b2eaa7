/** What a configuration file may contain, as data: the reader checks by it, and the page about it is compared with it. */

interface Common {
  /** One sentence for the reference page. */
  about: string;
}

export interface TextShape extends Common {
  type: 'text';
  /** As shown in the page; the code that uses the value applies it. */
  default?: string;
  oneOf?: readonly string[];
  /** What is wrong with the text, if anything. */
  check?: (text: string) => string | undefined;
}

export interface FlagShape extends Common {
  type: 'flag';
  default?: string;
}

export interface NumberShape extends Common {
  type: 'number';
  least: number;
  most: number;
  default?: string;
}

/** `90s`, `24h`, `7d`: read as milliseconds. */
export interface DurationShape extends Common {
  type: 'duration';
  default?: string;
}

/** `512MiB`, `10GB`: read as bytes. */
export interface SizeShape extends Common {
  type: 'size';
  default?: string;
}

/** A path; a relative one is below the folder of the configuration file. Read as an absolute path. */
export interface PathShape extends Common {
  type: 'path';
  default?: string;
}

/** One value, or a list of them; read as a list. */
export interface ListShape extends Common {
  type: 'list';
  of: Shape;
}

export interface GroupShape extends Common {
  type: 'group';
  members: Readonly<Record<string, Shape>>;
  /** Names of members that must be there. */
  required?: readonly string[];
}

/** Any names, one kind of value. */
export interface MapShape extends Common {
  type: 'map';
  of: Shape;
}

export type Shape = TextShape | FlagShape | NumberShape | DurationShape | SizeShape | PathShape | ListShape | GroupShape | MapShape;

/** Every key with its shape, as `tls.certificate`; `[]` stands for an item of a list, `*` for any name. */
export function* keysOf(shape: Shape, path = ''): Generator<[key: string, shape: Shape]> {
  if (path !== '') yield [path, shape];
  const below = path === '' ? '' : `${path}.`;
  if (shape.type === 'group') for (const [name, member] of Object.entries(shape.members)) yield* keysOf(member, `${below}${name}`);
  if (shape.type === 'list' && shape.of.type === 'group') for (const [name, member] of Object.entries(shape.of.members)) yield* keysOf(member, `${path}[].${name}`);
  if (shape.type === 'map') yield* keysOf(shape.of, `${below}*`);
}
