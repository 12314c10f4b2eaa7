/**
 * SOURCE_DATE_EPOCH: which time a build writes into config, history and new layers. It is a number of seconds, or says where
 * the time comes from: `context`, a named context, or a stage that only fetches. As an argument or option, or by an ARG
 * before the first FROM.
 */
import { SiruError } from '../base/errors.ts';
import { fault, type SourceText } from '../dockerfile/errors.ts';
import type { Dockerfile, DockerfileStage } from '../dockerfile/instruction.ts';
import type { Platform } from '../oci/platform.ts';
import { findContext } from './plan/context-name.ts';
import { placed } from './plan/placed.ts';
import { isGitSource, isHttpSource } from './plan/source-words.ts';
import type { SharedSession } from './shared-session.ts';
import { constantTime } from './steps/finish-outputs.ts';

/** The last second that RFC 3339 can write. */
const latest = 253402300799;

export interface EpochParts {
  shared: SharedSession;
  dockerfile: Dockerfile;
  source: SourceText;
  platform: Platform;
  /** Normalised names of `--build-context`. */
  namedContexts: readonly string[];
  /** Values of the arguments before the first FROM. */
  globalArgs: ReadonlyMap<string, string>;
  /** Builds a stage and gives the time of what it fetched. */
  stageTime(index: number): Promise<number | undefined>;
}

export interface Epoch {
  /** Since 1970; absent when what is named has no time of its own: the build has none then. */
  seconds?: number;
  /** Instructions get it as a build argument that nobody gave. */
  told?: boolean;
}

/**
 * The time that a build argument asks for, else an ARG before the first FROM; undefined when nobody asks. Throws USAGE for what
 * is no time, DOCKERFILE, and what opening a context throws.
 */
export async function settleEpoch({ SOURCE_DATE_EPOCH: argument }: Readonly<Record<string, string>>, parts: EpochParts): Promise<Epoch | undefined> {
  const written = argument ?? parts.globalArgs.get('SOURCE_DATE_EPOCH');
  if (written === undefined || written === '') return argument === undefined ? undefined : {};
  const seconds = /^[-+]?\d+$/.test(written) ? Number(written) : await timeOf(written, parts);
  if (seconds === undefined) return {};
  if (!(seconds >= 0 && seconds <= latest)) throw new SiruError('USAGE', `SOURCE_DATE_EPOCH=${written} is no time`, { hint: 'Give the seconds since 1970 as a whole number.' });
  return { seconds };
}

/** What instructions see: the number in place of where it comes from, and nothing where there is no time. */
export function setEpoch({ seconds, told = false }: Epoch, buildArgs: Readonly<Record<string, string>>, globalArgs: Map<string, string>): Record<string, string> {
  const name = 'SOURCE_DATE_EPOCH';
  const { [name]: before, ...others } = buildArgs;
  const value = seconds === undefined ? undefined : String(seconds);
  if (value === undefined) globalArgs.delete(name);
  else if (globalArgs.has(name)) globalArgs.set(name, value);
  return (before === undefined && !told) || value === undefined ? others : { ...others, [name]: value };
}

/** For a build that must have a time when nobody gave one: that of a commit or an archive, else always the same. */
export async function timeOfContext(shared: SharedSession): Promise<Epoch> {
  return { seconds: (await shared.mainContext()).time ?? constantTime };
}

/** Undefined when what is named has no time of its own: of files here nothing says when they were made as a whole. */
async function timeOf(name: string, parts: EpochParts): Promise<number | undefined> {
  const { shared, dockerfile, platform, namedContexts } = parts;
  if (name === 'context') return (await shared.mainContext()).time;
  const context = findContext(namedContexts, name, platform);
  if (context !== undefined) return (await shared.namedContext(context, platform)).time;
  const stage = dockerfile.stages.find((one) => one.name === name.toLowerCase());
  if (!stage) {
    throw new SiruError('USAGE', `invalid SOURCE_DATE_EPOCH: ${name}`, { hint: 'Give seconds since 1970, context, or the name of a build context or of a stage that only fetches.' });
  }
  placed(parts.source, stage.from.lines, () => checkFetchesOnly(stage));
  return parts.stageTime(stage.index);
}

function checkFetchesOnly({ from, instructions }: DockerfileStage): void {
  if (from.image !== 'scratch') throw fault('SOURCE_DATE_EPOCH stage must use FROM scratch');
  const other = instructions.find(({ kind }) => kind !== 'arg' && kind !== 'add');
  if (other) throw fault(`SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported ${other.kind.toUpperCase()} instruction`);
  const [add, ...more] = instructions.flatMap((one) => (one.kind === 'add' ? [one] : []));
  if (!add || more.length > 0) throw fault('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD');
  const [word, ...others] = add.sources;
  if (word === undefined || others.length > 0 || add.heredocs.length > 0) throw fault('SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source');
  if (/\$/.test(word) || add.keepGitDir !== undefined || isHttpSource(word) || isGitSource(word)) return;
  throw fault('SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD');
}
