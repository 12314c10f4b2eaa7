/**
 * A place for one test: a temporary folder with a store, contexts to build, and at the end a look at what was left behind.
 *
 *     await using world = await createWorld()
 *     const context = world.context({ Dockerfile: 'FROM base', 'src/a': 'text' })
 *     await world.ok('build', '-t', 'app', context)
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeBusyboxImage } from '../../src/images/testing/make-image.ts';
import type { ContainerConfig } from '../../src/oci/image-config.ts';
import { openStore } from '../../src/store/open-store.ts';
import { siru, siruOk, startSiru } from './siru.ts';
import type { Outcome, Running, SiruOptions } from './siru.ts';

/** Path to text; `{ link }` is a symbolic link, `{ text, mode }` a file with a mode; a path that ends in `/` a folder. */
export type Files = Record<string, string | Uint8Array | { link: string } | { text: string | Uint8Array; mode: number }>;

export interface World extends AsyncDisposable {
  folder: string;
  store: string;
  /** Runs siru in this world's store. */
  run(args: readonly string[], options?: Partial<SiruOptions>): Promise<Outcome>;
  /** As `run`; throws when the exit code is not 0, else gives standard output. */
  ok(...args: string[]): Promise<string>;
  start(args: readonly string[], options?: Partial<SiruOptions>): Running;
  /** A fresh folder with these files. */
  context(files: Files): string;
  /** Puts the busybox image into the store under this name. */
  base(name?: string, config?: ContainerConfig): Promise<void>;
  /** The members of `siru inspect`. */
  inspect(image: string): Promise<Inspected>;
}

export interface Inspected {
  Id: string;
  RepoTags: string[];
  Architecture: string;
  Config: ContainerConfig & { OnBuild: string[] | null; Shell: string[] | null; Healthcheck: object | null };
  RootFS: { Layers: string[] };
  Descriptor: { digest: string };
}

export async function createWorld(defaults: Partial<SiruOptions> = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-test-'));
  // Others may have to reach what is in here.
  if (defaults.as !== undefined) chmodSync(folder, 0o755);
  const store = defaults.store ?? join(folder, 'store');
  let contexts = 0;
  const whole = (options: Partial<SiruOptions> = {}): SiruOptions => ({ store, ...defaults, ...options, env: { ...defaults.env, ...options.env } });
  return {
    folder,
    store,
    run: (args, options) => siru(args, whole(options)),
    ok: (...args) => siruOk(args, whole()),
    start: (args, options) => startSiru(args, whole(options)),
    context: (files) => writeFiles(join(folder, `context-${contexts++}`), files),
    async base(name = 'base', config) {
      await using opened = await openStore({ root: store });
      makeBusyboxImage(opened, name, config);
    },
    async inspect(image) {
      return (JSON.parse(await siruOk(['inspect', image], whole())) as Inspected[])[0]!;
    },
    async [Symbol.asyncDispose]() {
      try {
        await settled(store);
        await settled(folder);
      } finally {
        await removeFolder(folder);
      }
    },
  };
}

/** Removes a folder, in which files may belong to subordinate users when this is an ordinary one. */
async function removeFolder(folder: string): Promise<void> {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    const { createExecutor } = await import('../../src/runtime/helper-client.ts');
    const own = mkdtempSync(join(tmpdir(), 'siru-test-remove-'));
    mkdirSync(join(own, 'tmp'));
    {
      await using executor = await createExecutor({ isolation: 'auto', folder: join(own, 'tmp'), purpose: 'files' });
      await executor.removeTrees([folder]);
    }
    rmSync(own, { recursive: true, force: true });
  }
}

export function writeFiles(folder: string, files: Files): string {
  mkdirSync(folder, { recursive: true });
  for (const [path, what] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(path.endsWith('/') ? file : dirname(file), { recursive: true });
    if (path.endsWith('/')) continue;
    if (typeof what === 'string' || what instanceof Uint8Array) writeFileSync(file, what);
    else if ('link' in what) symlinkSync(what.link, file);
    else {
      writeFileSync(file, what.text);
      chmodSync(file, what.mode);
    }
  }
  return folder;
}

/** Waits up to two seconds until no mount and no process has to do with this folder; fails with what there is. */
export async function settled(folder: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const left = [...mountsBelow(folder), ...processesOf(folder)];
    if (left.length === 0) return;
    if (tries === 40) assert.fail(`left behind:\n${left.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Lines of this process's mount table that name the folder. */
export function mountsBelow(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readFileSync('/proc/self/mounts', 'utf8').split('\n').filter((line) => line.includes(folder)).map((line) => `mount ${line}`);
}

/** Processes whose command line, environment or root has to do with the folder. */
export function processesOf(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    const command = quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
    const environment = quietly(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
    const places = ['cwd', 'root'].map((link) => quietly(() => readlinkSync(`/proc/${pid}/${link}`)) ?? '');
    const isZombie = /^State:\tZ/m.test(quietly(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '');
    if (isZombie) return [];
    return [command, environment, ...places].some((text) => text.includes(folder)) ? [`process ${pid} ${command.replaceAll('\0', ' ')}`] : [];
  });
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
