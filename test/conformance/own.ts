/** Builds a case with Siru: the command `siru build` in this process, in one store for all cases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { contextOf } from '../../src/base/context.ts';
import { isSiruError, messageOf } from '../../src/base/errors.ts';
import { plainArguments } from '../../src/cli/arguments.ts';
import type { Call } from '../../src/cli/call.ts';
import * as buildCommand from '../../src/cli/commands/build.ts';
import { loadImages } from '../../src/images/load.ts';
import { readImage } from '../../src/images/read.ts';
import { openLayerStream } from '../../src/layer/decompress.ts';
import { compressionOf } from '../../src/oci/media-types.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { siru } from '../support/siru.ts';
import { basesFor, makeBase } from './bases.ts';
import type { Case, Outcome } from './case.ts';
import { normalise } from './normalise.ts';
import { makePlace } from './place.ts';

export interface Own extends AsyncDisposable {
  /** Throws what is no refusal: a fault of the program. */
  build(test: Case): Promise<Outcome>;
}

/** @param folders Of the cases that will be built. */
export async function openOwn(folders: Iterable<string>): Promise<Own> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-conformance-'));
  const root = join(folder, 'store');
  const store = await openStore({ root });
  const layers = new Set<string>();
  for (const name of basesFor(folders)) {
    const { bytes, diffIds } = makeBase(name);
    for (const diffId of diffIds) layers.add(diffId);
    await loadImages({ store, source: chunks(bytes) }, contextOf({}));
  }
  let count = 0;
  const build = async (test: Case): Promise<Outcome> => {
    await using place = await makePlace(test, folder);
    const tag = `case-${++count}`;
    const words = ['-t', tag, '--build-arg', `BUILDKIT_CACHE_MOUNT_NS=${tag}`, ...place.args, place.context];
    const failed = test.stdin === undefined && test.env === undefined ? await inProcess(store, words) : await asProgram(root, test, words);
    if (failed !== undefined) return refusal(failed, place.hidden);
    const image = readImage(store, store.images.byName(`docker.io/library/${tag}:latest`)!);
    const open = image.layers.map(({ descriptor, diffId }) => ({
      diffId,
      open: () => openLayerStream(store.blobs.path(descriptor.digest), compressionOf(descriptor.mediaType) ?? 'none'),
    }));
    return await normalise({ config: JSON.parse(image.configBytes.toString()) as never, layers: open }, layers, test.times, place.hidden);
  };
  return {
    build,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The message of the error; undefined when it went well. */
async function inProcess(store: Store, words: string[]): Promise<string | undefined> {
  const command = new Command('build').exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  buildCommand.configure(command);
  const nowhere = { write: () => true, isTTY: false } as unknown as NodeJS.WriteStream;
  const call: Call = {
    path: ['build'], rest: [], debug: false, registries: { dockerConfig: '/nonexistent' }, environment: { PATH: process.env.PATH }, signal: new AbortController().signal,
    acceptSignal: () => {}, pauseSignals: () => ({ [Symbol.dispose]() {} }), stdout: nowhere, stderr: nowhere, print: () => {}, tell: () => {},
    store: async () => store, storeToRead: async () => store, wholeProgram: async () => command, context: (emit) => contextOf({ onEvent: emit }),
  };
  try {
    command.action(async () => void (await buildCommand.run(call, command.args, command.opts())));
    await command.parseAsync(plainArguments(command, ['--progress=plain', ...words], false), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return messageOf(error);
  }
}

async function asProgram(store: string, { stdin, env }: Case, words: string[]): Promise<string | undefined> {
  const { code, stderr } = await siru(['build', '--progress=quiet', ...words], { store, env, input: stdin });
  if (code === 0) return undefined;
  if (/this is a fault of siru|^\s+at \S+ \(/m.test(stderr)) throw new Error(stderr);
  return stderr.replace(/^siru: /, '');
}

function refusal(message: string, hidden: ReadonlyMap<string, string>): Outcome {
  let text = message;
  for (const [value, name] of hidden) text = text.replaceAll(value, name);
  const line = /^[^\s:]+:(\d+)\n-{10,}$/m.exec(text)?.[1];
  return { refused: true, message: text, ...(line === undefined ? {} : { line: Number(line) }) };
}
