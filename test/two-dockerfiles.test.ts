/** The two Dockerfiles that this project began with, unchanged, as root and as an ordinary user. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { command } from './support/siru.ts';
import type { SiruOptions } from './support/siru.ts';
import { pushStandIns, standInsMissing } from './support/stand-ins.ts';
import { createUser, userMissing } from './support/user.ts';
import { createWorld } from './support/world.ts';
import type { Files, World } from './support/world.ts';

const example: Files = {
  Dockerfile: `FROM ubuntu:20.04
RUN apt-get update
RUN apt-get install -y vim
COPY . /app
CMD ["vim"]
`,
  'notes.txt': 'to edit\n',
};

const simple: Files = {
  Dockerfile: `FROM golang:1.18 AS builder
WORKDIR /app
COPY go.mod ./
COPY go.sum ./
RUN go mod download
COPY . ./
RUN go build -o simple-app .

FROM alpine:latest
COPY --from=builder /app/simple-app /usr/loca/bin/simple-app
CMD ["simple-app"]
`,
  'go.mod': 'module example.com/simple-app\n\ngo 1.18\n',
  'go.sum': '',
  'main.go': 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(greeting()) }\n',
  'greeting.go': 'package main\n\nfunc greeting() string { return "Hello from a simple app" }\n',
};

const skip = needs('run') || registryMissing() || standInsMissing('ubuntu:20.04', 'golang:1.18', 'alpine:latest');

interface Seen {
  /** diff IDs of what does not depend on a clock. */
  example: { base: string; copy: string };
  simple: { base: string; workdir: string; modules: string };
}

test('two Dockerfiles, as root and as an ordinary user', { skip, timeout: 550_000 }, async (t) => {
  await using registry = await startRegistry();
  try {
    await pushStandIns(registry.host, ['ubuntu:20.04', 'golang:1.18', 'alpine:latest']);
  } catch (error) {
    if (!/Could not resolve|Temporary failure|Unable to connect|Could not connect|Failed to fetch/.test((error as Error).message)) throw error;
    return t.skip("this machine's apt cannot reach its mirror, so no Debian root could be made");
  }
  const mirror = registry.host;

  let asRoot: Seen | undefined;
  await t.test('as root', async (t) => {
    asRoot = await story(t, {}, mirror);
  });
  await t.test('as an ordinary user, with equal layers', { skip: userMissing() }, async (t) => {
    await using user = await createUser();
    const asUser = await story(t, { as: user.as, env: user.env, program: user.program, store: join(user.home, 'store') }, mirror, user.name);
    assert.deepEqual(asUser, asRoot);
  });
});

async function story(t: TestContext, who: Partial<SiruOptions>, mirror: string, owner?: string): Promise<Seen> {
  await using world = await createWorld({ ...who, timeout: 300_000 });
  const contexts = { example: world.context(example), simple: world.context(simple) };
  // Equal times, so that equal layers come of it.
  await command(['sh', '-c', `find . -exec touch -h -d @1700000000 {} +; chmod -R a+rX .${owner ? `; chown -R ${owner} .` : ''}`], { cwd: world.folder });
  const configuration = join(world.folder, 'config.json');
  writeFileSync(configuration, JSON.stringify({ registries: { 'docker.io': { mirrors: [mirror] } } }));

  await t.test('siru build -t example-image .', async () => {
    const outcome = await world.run(['build', '-t', 'example-image', '.'], { cwd: contexts.example, env: { SIRU_CONFIG: configuration } });
    assert.equal(outcome.code, 0, outcome.stderr);
    const editor = await world.run(['run', '--rm', 'example-image', 'vim', '--version']);
    assert.match(editor.stdout, /^VIM - Vi IMproved/);
    assert.equal(await world.ok('run', '--rm', 'example-image', 'cat', '/app/notes.txt'), 'to edit\n');
    assert.deepEqual((await world.inspect('example-image')).Config.Cmd, ['vim']);
  });

  await t.test('siru images', async () => {
    assert.match(await world.ok('images'), /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n(?:.*\n)*example-image +latest +[0-9a-f]{12} +\S.* +\d+(?:\.\d+)?MB\n/);
  });

  await t.test('siru image build -t simple-image:0.0.1 .', async () => {
    const outcome = await world.run(['image', 'build', '--mirror', `docker.io=${mirror}`, '-t', 'simple-image:0.0.1', '.'], { cwd: contexts.simple });
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  await t.test('siru run simple-image:0.0.1 /usr/loca/bin/simple-app', async () => {
    assert.equal(await world.ok('run', 'simple-image:0.0.1', '/usr/loca/bin/simple-app'), 'Hello from a simple app\n');
  });

  await t.test('the second image holds no compiler and no source', async () => {
    const folder = world.context({});
    await world.ok('save', '-o', join(world.folder, 'simple.tar'), 'simple-image:0.0.1');
    await command(['tar', '-C', folder, '-xf', join(world.folder, 'simple.tar')]);
    const { RootFS } = await world.inspect('simple-image:0.0.1');
    assert.equal(RootFS.Layers.length, 2);
    const names: string[] = [];
    for (const blob of (await command(['sh', '-c', 'find . -type f -size +1k'], { cwd: folder })).trim().split('\n')) {
      const listing = await command(['sh', '-c', `tar -tf ${blob} 2>/dev/null || true`], { cwd: folder });
      names.push(...listing.split('\n').map((name) => name.replace(/^\.\//, '')));
    }
    assert.ok(names.includes('usr/loca/bin/simple-app'), names.join(' '));
    assert.deepEqual(names.filter((name) => /\.go$|go\.(?:mod|sum)$|(?:^|\/)go$|usr\/lib\/go|^app\//.test(name)), []);
  });

  await t.test('built again, nothing is executed', async () => {
    const steps = await stepsOf(world, contexts.simple, mirror);
    assert.deepEqual([...new Set(Object.values(steps))], ['cached'], JSON.stringify(steps));
  });

  await t.test('a change of one Go file executes go build again, and nothing above it', async () => {
    await command(['sh', '-c', `echo 'package main\n\nfunc greeting() string { return "Changed" }' > greeting.go`], { cwd: contexts.simple });
    const steps = await stepsOf(world, contexts.simple, mirror);
    const fresh = (text: string): boolean => text === 'COPY . ./' || text.startsWith('RUN go build') || text.startsWith('COPY --from=builder');
    for (const [text, status] of Object.entries(steps)) {
      if (fresh(text)) assert.equal(status, 'executed', text);
      else assert.equal(status, 'cached', text);
    }
    assert.equal(Object.keys(steps).filter(fresh).length, 3, JSON.stringify(steps));
    assert.equal(await world.ok('run', '--rm', 'simple-image:0.0.1', '/usr/loca/bin/simple-app'), 'Changed\n');
  });

  const one = (await world.inspect('example-image')).RootFS.Layers;
  await world.ok('build', '--target', 'builder', '--mirror', `docker.io=${mirror}`, '-t', 'builder', contexts.simple);
  const two = (await world.inspect('builder')).RootFS.Layers;
  return { example: { base: one[0]!, copy: one.at(-1)! }, simple: { base: two[0]!, workdir: two[1]!, modules: two[2]! } };
}

/** How each step that makes a layer ended, by its text. */
async function stepsOf(world: World, context: string, mirror: string): Promise<Record<string, string>> {
  const out = await world.ok('build', '--progress=json', '--mirror', `docker.io=${mirror}`, '-t', 'simple-image:0.0.1', context);
  const events = out.trim().split('\n').map((line) => JSON.parse(line) as { type: string; status: string; step: { text: string } });
  return Object.fromEntries(events.filter(({ type, status, step }) => type === 'step-done' && status !== 'config' && !step.text.startsWith('FROM')).map(({ step, status }) => [step.text, status]));
}
