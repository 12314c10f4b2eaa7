/**
 * SOURCE_DATE_EPOCH: which time a build writes into config, history and new layers. It is a number of seconds, or says where
 * the time comes from: `context`, a named context, or a stage that only fetches. As an argument or option, or by an ARG
 * before the first FROM.
 */
import { SiruError } from '../base/errors.ts';
import { fault, type SourceText } from '../dockerfile/errors.ts';
import type { Dockerfile, DockerfileStage } from '../dockerfile/instruction.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { OpenedContext } from './contexts/open.ts';
import type { BuildOptions } from './options.ts';
import { findContext } from './plan/context-name.ts';
import { placed } from './plan/placed.ts';
import { isGitSource, isHttpSource } from './plan/source-words.ts';
import type { SharedSession } from './shared-session.ts';

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
  /** Builds a stage and gives its layers. */
  stageLayers(index: number): Promise<readonly { diffId: Digest }[]>;
}

/**
 * The options with the time as both option and argument; an argument is nearer to the build than an option, and both than a
 * default in the file. Throws USAGE for what is no time, DOCKERFILE, and what opening a context throws.
 */
export async function settleEpoch(options: BuildOptions, parts: EpochParts): Promise<BuildOptions> {
  const { buildArgs, sourceDateEpoch } = options;
  const written = buildArgs?.SOURCE_DATE_EPOCH || (sourceDateEpoch === undefined ? parts.globalArgs.get('SOURCE_DATE_EPOCH') : String(sourceDateEpoch));
  if (written === undefined || written === '') return options;
  const epoch = /^-?\d+$/.test(written) ? Number(written) : await timeOf(written, parts);
  // Of files here nothing says when they were made as a whole.
  if (epoch === undefined) return { ...options, buildArgs: { ...buildArgs, SOURCE_DATE_EPOCH: '' } };
  if (!(epoch >= 0 && epoch <= latest)) throw new SiruError('USAGE', `SOURCE_DATE_EPOCH=${written} is no time`, { hint: 'Give the seconds since 1970 as a whole number.' });
  return { ...options, sourceDateEpoch: epoch, buildArgs: { ...buildArgs, SOURCE_DATE_EPOCH: String(epoch) } };
}

/** Seconds since 1970, or undefined when what is named has no time of its own. */
async function timeOf(name: string, parts: EpochParts): Promise<number | undefined> {
  const { shared, dockerfile, platform, namedContexts } = parts;
  if (name === 'context') return newestOf(shared, await shared.mainContext());
  const context = findContext(namedContexts, name, platform);
  if (context !== undefined) return newestOf(shared, await shared.namedContext(context, platform));
  const stage = dockerfile.stages.find((one) => one.name === name.toLowerCase());
  if (!stage) {
    throw new SiruError('USAGE', `invalid SOURCE_DATE_EPOCH: ${name}`, { hint: 'Give seconds since 1970, context, or the name of a build context or of a stage that only fetches.' });
  }
  placed(parts.source, stage.from.lines, () => checkFetchesOnly(stage));
  return newest(shared, await parts.stageLayers(stage.index));
}

function newestOf(shared: SharedSession, { stack, image }: OpenedContext): number | undefined {
  return stack && !image ? newest(shared, stack.layers) : undefined;
}

/** The time of a commit, Last-Modified, or that of the newest file of an archive: so these layers were made. */
function newest({ store }: SharedSession, layers: readonly { diffId: Digest }[]): number | undefined {
  const times = layers.flatMap(({ diffId }) => store.layers.get(diffId)?.newest ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
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
