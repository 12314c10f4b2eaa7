/**
 * kill -9 at random moments of builds, pulls and pushes: the next command works, nothing that had a name is lost, and no
 * mount, process or temporary file stays. SIRU_TEST_SEED repeats a run, SIRU_TEST_KILLS sets how many there are (100).
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeImage } from '../src/images/testing/make-image.ts';
import { openStore } from '../src/store/open-store.ts';
import { needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { command } from './support/siru.ts';
import { namedImages, temporaryFiles, verifyBlobs } from './support/store-state.ts';
import { createUser, userMissing } from './support/user.ts';
import { createWorld, settled } from './support/world.ts';
import type { World } from './support/world.ts';

const seed = Number(process.env.SIRU_TEST_SEED ?? Date.now() % 1_000_000);
const kills = Number(process.env.SIRU_TEST_KILLS ?? 100);
const times = { builds: Math.round(kills * 0.3), userBuilds: Math.round(kills * 0.1), pulls: Math.round(kills * 0.3), pushes: Math.round(kills * 0.3) };

describe('kill -9', { concurrency: 2 }, () => {
  test(`${times.builds} builds, seed ${seed}`, { skip: needs('run') }, async (t) => {
    await using world = await createWorld();
    await world.base();
    await killBuilds(t, world, times.builds);
  });

  test(`${times.userBuilds} builds of an ordinary user, seed ${seed}`, { skip: needs('run') || userMissing() }, async (t) => {
    await using user = await createUser();
    await using world = await createWorld({ as: user.as, env: user.env, program: user.program, store: join(user.home, 'store') });
    const archive = join(world.folder, 'base.tar');
    {
      await using from = await createWorld();
      await from.base();
      await from.ok('save', '-o', archive, 'base');
    }
    await command(['chmod', '-R', 'a+rX', world.folder]);
    await world.ok('load', '-i', archive);
    await killBuilds(t, world, times.userBuilds, user.name);
  });

  test(`${times.pulls} pulls and ${times.pushes} pushes, seed ${seed}`, { skip: registryMissing() || needs('skopeo') }, async (t) => {
    await using registry = await startRegistry();
    await using world = await createWorld();
    const random = numbers(seed + 1);
    const known = new Set<string>();

    // Each push is of an image of its own, whose layers no registry and no earlier push knows.
    const names: string[] = [];
    {
      await using store = await openStore({ root: world.store });
      for (let index = 0; index <= 1.5 * times.pushes; index++) {
        const name = `${registry.host}/push/app-${index}:1`;
        makeImage(store, { name, layers: [{ f: randomBytes(2 << 20) }, { g: randomBytes(1 << 20) }] });
        names.push(name);
      }
    }
    const stable = await namedImages(world);
    const pushes = await startTally(world, ['push', names[0]!]);
    for (let index = 1; index < names.length && pushes.killed < times.pushes; index++) {
      await killAfter(world, ['push', names[index]!], random(), pushes);
      await sound(world, stable, known, `push ${index}, seed ${seed}`);
    }
    t.diagnostic(told('pushes', pushes));
    for (const name of names.slice(-3)) {
      await world.ok('push', name);
      await command(['skopeo', 'copy', '-q', '--insecure-policy', '--src-tls-verify=false', `docker://${name}`, `dir:${join(world.folder, 'copied')}`]);
    }

    await using second = await createWorld();
    await second.ok('pull', names[0]!);
    await second.ok('tag', names[0]!, 'kept:1');
    await second.ok('rmi', names[0]!);
    const kept = await namedImages(second);
    const pulled = new Set<string>();
    const pull = ['pull', '-q', names.at(-1)!];
    const fresh = async (): Promise<void> => {
      await second.run(['rmi', names.at(-1)!]);
      await second.ok('prune', '-f');
    };
    const pulls = await startTally(second, pull);
    for (let index = 0; pulls.killed < times.pulls && index < 3 * times.pulls; index++) {
      await fresh();
      await killAfter(second, pull, random(), pulls);
      await sound(second, kept, pulled, `pull ${index}, seed ${seed}`);
    }
    t.diagnostic(told('pulls', pulls));
    await second.ok(...pull);
    assert.deepEqual(temporaryFiles(second.store), []);
    await second.ok('save', '-o', join(second.folder, 'out.tar'), names.at(-1)!);
  });
});

async function killBuilds(t: TestContext, world: World, count: number, owner?: string): Promise<void> {
  await world.ok('tag', 'base', 'kept:1');
  const random = numbers(seed);
  const context = world.context({
    Dockerfile: [
      'FROM base AS one', 'COPY big changing /', 'RUN cat /changing /big > /sum',
      'RUN sleep 0.1; for i in 1 2 3 4 5 6 7 8; do mkdir -p /d/$i; echo $i > /d/$i/f; chown $i:$i /d/$i; chmod 700 /d/$i; done; rm -r /root /d/3',
      'FROM base', 'WORKDIR /w', 'RUN --mount=type=cache,target=/cache echo x >> /cache/n; sleep 0.05 & wait', 'COPY --from=one /d /d', 'COPY --from=one /sum .', '',
    ].join('\n'),
    big: randomBytes(3 << 20),
    changing: '',
  });
  const sweeper = world.context({ Dockerfile: 'FROM base\nRUN true\n' });
  if (owner !== undefined) await command(['chown', '-R', owner, context]);
  const build = ['build', '-q', context];
  const stable = await namedImages(world);
  const known = new Set<string>();
  const tally = await startTally(world, build, () => changeFile(context));
  for (let index = 0; tally.killed < count && index < 3 * count; index++) {
    changeFile(context);
    await killAfter(world, build, random(), tally);
    // What belongs to subordinate users goes with the next command that runs something.
    if (owner !== undefined || process.getuid?.() !== 0) await world.ok('build', '-q', '--no-cache', sweeper);
    await sound(world, stable, known, `build ${index}, seed ${seed}`);
  }
  t.diagnostic(told('builds', tally));
  await world.ok('build', '-t', 'last', context);
  await world.ok('build', '-t', 'last', '--no-cache', context);
  assert.match(await world.ok('history', 'last'), /sum/);
}

interface Tally {
  killed: number;
  ended: number;
  /** Kills that left something in tmp/. */
  littered: number;
  /** Milliseconds that a whole one takes. */
  typical: number;
}

/** Carries one out to its end, to know how long it takes. */
async function startTally(world: World, args: string[], prepare?: () => void): Promise<Tally> {
  prepare?.();
  const outcome = await world.run(args);
  assert.equal(outcome.code, 0, outcome.stderr);
  return { killed: 0, ended: 0, littered: 0, typical: outcome.took };
}

/** Kills it at a moment: 0 is its start, 1 its usual end. */
async function killAfter(world: World, args: string[], moment: number, tally: Tally): Promise<void> {
  const { child, ended } = world.start(args);
  const timer = setTimeout(() => child.kill('SIGKILL'), moment * tally.typical);
  const outcome = await ended;
  clearTimeout(timer);
  if (outcome.signal === 'SIGKILL') {
    tally.killed++;
    if (temporaryFiles(world.store).length > 0) tally.littered++;
  } else {
    assert.equal(outcome.code, 0, outcome.stderr);
    tally.ended++;
    tally.typical = outcome.took;
  }
}

function told(what: string, { killed, ended, littered, typical }: Tally): string {
  return `${what}: ${killed} killed, ${littered} of them left files; ${ended} were quicker than their killer; a whole one takes ${typical.toFixed(0)} ms`;
}

/** Nothing runs or is mounted; the next command works, shows the same images and leaves no temporary file but parts of blobs; blobs are whole. */
async function sound(world: World, stable: string[], known: Set<string>, place: string): Promise<void> {
  try {
    await settled(world.store);
    const images = await namedImages(world);
    assert.deepEqual(images.filter((line) => stable.includes(line)), stable);
    // Parts of blobs stay: the next pull goes on with them.
    assert.deepEqual(temporaryFiles(world.store).filter((name) => !name.startsWith('partial-')), []);
    verifyBlobs(world.store, known);
  } catch (error) {
    throw new Error(`after ${place}: ${(error as Error).message}`, { cause: error });
  }
}

function changeFile(context: string): void {
  writeFileSync(join(context, 'changing'), randomBytes(1000));
}

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function numbers(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
