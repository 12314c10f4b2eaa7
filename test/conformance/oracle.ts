/**
 * Builds a case with docker, for recording. `SIRU_CONFORMANCE_DOCKER` has the words before docker's own arguments (`docker`
 * when not set), `SIRU_CONFORMANCE_SHARE` a folder that client and this process both see (the folder of temporary files).
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTarReader } from '../../src/layer/tar-read.ts';
import { startProgram, type Outcome as Ended } from '../support/siru.ts';
import { basesFor, makeBase } from './bases.ts';
import type { Case, Outcome, Recorded } from './case.ts';
import { normalise, type RawImage } from './normalise.ts';
import { makePlace } from './place.ts';

export interface Oracle {
  versions: Recorded['oracle'];
  build(test: Case): Promise<Outcome>;
}

const words = (process.env.SIRU_CONFORMANCE_DOCKER ?? 'docker').split(' ').filter((word) => word !== '');
/** BuildKit is a part of the daemon and does not say its version there. */
const buildkitOf: Record<string, string> = { '28.4': '0.24', '28.5': '0.25', '29.0': '0.26' };

/** @param folders Of the cases that will be built. */
export async function openOracle(folders: Iterable<string>): Promise<Oracle> {
  const share = join(process.env.SIRU_CONFORMANCE_SHARE ?? tmpdir(), 'siru-conformance');
  mkdirSync(share, { recursive: true });
  const version = (await docker(['version', '--format', '{{.Server.Version}}'])).stdout.trim();
  const docker28 = /^\d+\.\d+/.exec(version)?.[0] ?? '';
  const bases = await loadBases(share, basesFor(folders));
  const build = async (test: Case): Promise<Outcome> => {
    await using place = await makePlace(test, share);
    const tag = `siru-conformance/${randomUUID()}`;
    // Cache mounts of another recording must not shine through.
    const own = ['--network', 'host', '--provenance=false', '--progress=plain', '-t', tag, '--build-arg', `BUILDKIT_CACHE_MOUNT_NS=${tag}`];
    const client = Object.entries({ DOCKER_BUILDKIT: '1', BUILDX_NO_DEFAULT_ATTESTATIONS: '1', ...test.env }).map(([name, value]) => `${name}=${value}`);
    const ended = await run(['env', ...client, ...words, 'build', ...own, ...place.args, place.context], test.stdin);
    if (ended.code !== 0) return refusal(ended, place.hidden);
    const archive = join(share, `${randomUUID()}.tar`);
    try {
      const saved = await run([...words, 'save', '-o', archive, tag]);
      // docker cannot save an image without a layer.
      if (/empty export/.test(saved.stderr)) return await normalise(await inspected(tag), bases, test.times, place.hidden);
      if (saved.code !== 0) throw new Error(saved.stderr);
      return await normalise(readArchive(readFileSync(archive)), bases, test.times, place.hidden);
    } finally {
      rmSync(archive, { force: true });
      await docker(['rmi', '--no-prune', tag]);
    }
  };
  return { versions: { docker: version.replace(/[+~-].*/, ''), buildkit: buildkitOf[docker28] ?? 'unknown' }, build };
}

/** Gives the layers of these bases. Those that docker has already are not loaded again. */
async function loadBases(share: string, names: readonly string[]): Promise<Set<string>> {
  const layers = new Set<string>();
  for (const name of names) {
    const { imageId, bytes, diffIds } = makeBase(name);
    for (const diffId of diffIds) layers.add(diffId);
    const known = await run([...words, 'image', 'inspect', '--format', '{{.Id}}', name]);
    if (known.stdout.trim() === imageId) continue;
    const file = join(share, `${randomUUID()}.tar`);
    writeFileSync(file, bytes);
    await docker(['load', '-i', file]);
    rmSync(file);
  }
  return layers;
}

async function run(command: string[], input?: string | Uint8Array): Promise<Ended> {
  return await startProgram(command, { env: { PATH: process.env.PATH, HOME: process.env.HOME }, input, timeout: 300_000 }).ended;
}

async function docker(args: string[]): Promise<Ended> {
  const ended = await run([...words, ...args]);
  if (ended.code !== 0) throw new Error(`${[...words, ...args].join(' ')}: ${ended.stderr}`);
  return ended;
}

function refusal({ stderr }: Ended, hidden: ReadonlyMap<string, string>): Outcome {
  let text = stderr;
  for (const [value, name] of hidden) text = text.replaceAll(value, name);
  // Where the daemon keeps its files, and names that it gave to what it was sent.
  text = text.replace(/\/[^\s"]*(?:\/overlay2\/\w+\/merged|\/buildkit-mount\d+)\b/g, '').replace(/\bof ref [\w-]+::\w+/g, 'of ref');
  const message = /^ERROR: (?:failed to build: )?(?:failed to solve: )?([^]*?)\s*$/m.exec(text)?.[1] ?? text.trim();
  const line = /^[^\s:]+:(\d+)\n-{10,}$/m.exec(text)?.[1];
  return { refused: true, message: message.split('\n')[0]!, ...(line === undefined ? {} : { line: Number(line) }) };
}

/** What the daemon tells of an image without layers. It fills in members that the config does not have. */
async function inspected(tag: string): Promise<RawImage> {
  const image = JSON.parse((await docker(['image', 'inspect', '--format', '{{json .}}', tag])).stdout) as Record<string, unknown>;
  const filled = (object: unknown): Record<string, unknown> =>
    Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => value !== '' && value !== false && value !== null));
  const history = (await docker(['history', '--no-trunc', '--format', '{{json .}}', tag])).stdout.split('\n').filter((line) => line !== '').reverse().map((line) => {
    const { CreatedBy, Comment } = JSON.parse(line) as Record<string, string>;
    return { created_by: CreatedBy, comment: Comment, empty_layer: true };
  });
  const { Architecture: architecture, Os: os, Author: author } = image;
  return { config: { architecture, config: filled(image.Config), os, ...filled({ author }), history }, layers: [] };
}

/** What `docker save` wrote. */
export function readArchive(bytes: Buffer): RawImage {
  const files = new Map<string, Buffer[]>();
  const links = new Map<string, string>();
  const reader = createTarReader({
    member: ({ path, link }) => void (link === undefined ? files.set(path, []) : links.set(path, link)),
    content: (chunk, { path }) => void files.get(path)!.push(Buffer.from(chunk)),
  });
  reader.push(bytes);
  reader.end();
  const get = (path: string): Buffer => Buffer.concat(files.get(path) ?? files.get(join(path, '..', links.get(path) ?? '')) ?? []);
  const [{ Config, Layers }] = JSON.parse(get('manifest.json').toString()) as [{ Config: string; Layers: string[] }];
  const config = JSON.parse(get(Config).toString()) as { rootfs: { diff_ids: string[] } };
  return { config: config as never, layers: Layers.map((path, at) => ({ diffId: config.rootfs.diff_ids[at]!, open: () => [get(path)] })) };
}

/** Why nothing can be recorded here, or false. */
export function oracleMissing(): string | false {
  return process.env.SIRU_CONFORMANCE_DOCKER !== undefined || existsSync('/var/run/docker.sock') ? false : 'needs docker: set SIRU_CONFORMANCE_DOCKER';
}
