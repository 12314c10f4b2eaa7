/** Tables of builds: a Dockerfile, what to run in the image, what must come of it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Outcome } from './siru.ts';
import { writeFiles } from './world.ts';
import type { Files, Inspected, World } from './world.ts';

export interface BuildCase {
  name: string;
  dockerfile: string;
  files?: Files;
  /** Further arguments of `siru build`. */
  args?: string[];
  env?: Record<string, string>;
  input?: string;
  /** A shell script to run in the image, and what it prints. */
  shell?: string;
  prints?: string;
  /** Arguments of `siru run` after the image instead of `shell`. */
  run?: string[];
  /** Members of `siru inspect`'s Config that must be so. */
  config?: { [Member in keyof Inspected['Config']]?: Inspected['Config'][Member] | null };
  /** More to look at, when the above holds. */
  also?(world: World, tag: string, context: string): Promise<void>;
  /** The build must fail and say this. */
  fails?: RegExp;
}

let count = 0;

export async function carryOut(world: World, build: BuildCase): Promise<Outcome> {
  const tag = `case-${++count}`;
  const context = world.context({});
  writeFiles(context, { Dockerfile: build.dockerfile, ...build.files });
  const outcome = await world.run(['build', '--progress=plain', '-t', tag, ...(build.args ?? []).map((arg) => arg.replace('{context}', context)), '.'], { cwd: context, env: build.env, input: build.input });
  const told = `${outcome.stdout}${outcome.stderr}`;
  if (build.fails) {
    assert.notEqual(outcome.code, 0, `the build did not fail:\n${told}`);
    assert.match(outcome.stderr, build.fails);
    assertFriendly(outcome);
    return outcome;
  }
  assert.equal(outcome.code, 0, `the build failed:\n${told}`);
  if (build.config) {
    const { Config } = await world.inspect(tag);
    for (const [member, value] of Object.entries(build.config)) assert.deepEqual(Config[member as 'Env'], value, `Config.${member}`);
  }
  if (build.prints !== undefined) {
    const words = build.run ?? ['sh', '-c', build.shell ?? ''];
    const ran = await world.run(['run', '--rm', ...(build.run ? [] : ['--entrypoint', '']), tag, ...words]);
    assert.equal(ran.stdout, build.prints, `standard output; error output: ${ran.stderr}`);
    assert.equal(ran.code, 0, ran.stderr);
  }
  await build.also?.(world, tag, context);
  return outcome;
}

/** The message is for people: it begins with the program's name and shows no stack. */
export function assertFriendly({ stderr }: Outcome): void {
  assert.match(stderr, /^siru: \S/m);
  assert.doesNotMatch(stderr, /^\s+at \S+ \(|node:internal|file:\/\//m);
  assert.doesNotMatch(stderr, /this is a fault of siru/);
}

/** Carries a table out, two at a time. */
export async function carryOutAll(t: TestContext, world: World, cases: readonly BuildCase[]): Promise<void> {
  const queue = [...cases];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const build = next;
      await t.test(build.name, () => carryOut(world, build).then(() => {}));
    }
  };
  await Promise.all([worker(), worker()]);
}
