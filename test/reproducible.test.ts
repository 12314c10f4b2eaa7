/**
 * The same inputs give the same bytes: the Dockerfiles of examples/, on stand-ins for their bases, built as root and as an
 * ordinary user, in two stores, with another umask, time zone, locale, directory, times of files, number of processors and of
 * steps at once, some seconds apart. The digest is that of a compressed archive, so the bytes of compression count too.
 */
import assert from 'node:assert/strict';
import { chmodSync, lutimesSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { basesFor, makeBase } from './conformance/bases.ts';
import type { Case } from './conformance/case.ts';
import { cases } from './conformance/examples/dockerfiles.cases.ts';
import { makePlace } from './conformance/place.ts';
import { findProgram, needs } from './support/missing.ts';
import { command, ownProgram, startProgram } from './support/siru.ts';
import { createUser, userMissing } from './support/user.ts';

const examples = ['node-npm', 'python-venv', 'go-static', 'rust-deps', 'java-layers', 'nginx-static', 'heredocs', 'postgres-extension', 'c-make', 'debian-apt'];

interface Machine {
  folder: string;
  /** Words before those of the program. */
  as: readonly string[];
  program: readonly string[];
  env: Record<string, string | undefined>;
  flags: readonly string[];
  /** Seconds that are added to the times of the context's files. */
  later: number;
  compression: string;
}

async function run(machine: Machine, words: string[], env: Record<string, string> = {}): Promise<string> {
  const { as, program, folder } = machine;
  const outcome = await startProgram([...program, ...words], {
    as, cwd: folder, env: { PATH: process.env.PATH, XDG_CONFIG_HOME: '/nonexistent', DOCKER_CONFIG: '/nonexistent', SIRU_ROOT: join(folder, 'store'), ...machine.env, ...env },
  }).ended;
  assert.equal(outcome.code, 0, `${words.join(' ')}\n${outcome.stderr}`);
  return outcome.stdout;
}

/** Builds the case there and gives the digest of the compressed image. */
async function digestOn(machine: Machine, one: Case): Promise<string> {
  await using place = await makePlace(one, machine.folder);
  for (const top of [place.folders.context, place.folders.beside]) shift(top, machine.later);
  await command(['chmod', '-R', 'a+rX', machine.folder]);
  const told = join(machine.folder, 'metadata', 'file');
  await run(machine, ['build', '--reproducible', '--progress=quiet', ...machine.flags, '--metadata-file', told, '-o', `type=oci,dest=/dev/null,compression=${machine.compression}`, ...place.args, place.context], one.env ?? {});
  return (JSON.parse(readFileSync(told, 'utf8')) as Record<string, string>)['containerimage.digest']!;
}

function textOf(file: unknown): string {
  return (file as { text: Buffer }).text.toString();
}

function shift(folder: string, seconds: number): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) lutimesSync(join(entry.parentPath, entry.name), 1_700_000_000 + seconds, 1_700_000_000 + seconds);
}

async function load(machine: Machine, needed: readonly string[]): Promise<void> {
  for (const name of basesFor(['examples'])) {
    if (!needed.includes(name.split(':')[0]!)) continue;
    const archive = join(machine.folder, 'base.tar');
    writeFileSync(archive, makeBase(name).bytes);
    chmodSync(archive, 0o644);
    await run(machine, ['load', '--quiet', '--input', archive]);
    rmSync(archive);
  }
}

test('two machines give one digest for each of the examples', { skip: needs('run', 'root') || userMissing() }, async (t) => {
  await using user = await createUser();
  const folders = [mkdtempSync(join(tmpdir(), 'siru-reproducible-')), mkdtempSync(join(tmpdir(), 'another-place-with-a-longer-name-'))] as const;
  t.after(async () => {
    for (const folder of folders) await command(['rm', '-rf', folder]);
  });
  for (const folder of folders) {
    await command(['mkdir', join(folder, 'metadata')]);
    await command(['chmod', '755', folder]);
  }
  const oneProcessor = findProgram('taskset') ? ['taskset', '-c', '0'] : [];
  await command(['chown', user.name, folders[1], join(folders[1], 'metadata')]);
  const machines: Machine[] = [
    { folder: folders[0], as: [...oneProcessor, 'sh', '-c', 'umask 022; exec "$@"', 'sh'], program: ownProgram, env: { HOME: '/root', TZ: 'UTC', LANG: 'C', UV_THREADPOOL_SIZE: '1' }, flags: ['--jobs', '1'], later: 0, compression: 'gzip' },
    { folder: folders[1], as: [...user.as, 'sh', '-c', 'umask 077; exec "$@"', 'sh'], program: user.program, env: { ...user.env, TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', UV_THREADPOOL_SIZE: '7' }, flags: ['--jobs', '7'], later: 12_345, compression: 'gzip' },
  ];
  const chosen = examples.map((name) => cases.find((one) => one.name === name)!);
  const needed = chosen.flatMap(({ files }) => [...textOf(files!.Dockerfile!).matchAll(/(?:^FROM(?: --\S+)*|--from=) ?([^\s:$]+)/gm)].map(([, name]) => name!));
  for (const machine of machines) await load(machine, needed);
  for (const one of chosen) {
    const digests: string[] = [];
    for (const machine of machines) digests.push(await digestOn(machine, one));
    assert.equal(digests[1], digests[0], one.name);
  }
  const [one] = chosen;
  const zstd = await Promise.all(machines.map((machine) => digestOn({ ...machine, compression: 'zstd' }, one!)));
  assert.equal(zstd[1], zstd[0]);
});
