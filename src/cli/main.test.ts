import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const folder = mkdtempSync(join(tmpdir(), 'siru-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
// The sources, whether or not there is a compiled program, which bin/siru.mjs would prefer.
const program = join(folder, 'siru.mjs');
writeFileSync(program, `import { main } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'main.ts')).href)};\nawait main(process.argv.slice(2));\n`);
const asShell = `'${process.execPath}' '${program}'`;
const environment = { ...process.env, SIRU_ROOT: join(folder, 'store'), HOME: folder, DOCKER_CONFIG: join(folder, 'docker') };

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function siru(args: string[], options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env: { ...environment, ...options.env }, cwd: options.cwd ?? folder, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 255 : 0, stdout, stderr }));
    child.stdin!.end(options.input ?? '');
  });
}

/** A tar of two files, as a base image. */
function baseTar(): string {
  const file = join(folder, 'base.tar');
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc/hostname'), 'base\n');
  writeFileSync(join(tree, 'hello'), 'hello\n');
  spawnSync('tar', ['-C', tree, '-cf', file, '.']);
  return file;
}

test('the version is told without a store', async () => {
  for (const flag of ['--version', '-v']) {
    const { code, stdout } = await siru([flag]);
    assert.equal(code, 0);
    assert.match(stdout, /^siru version \d+\.\d+\.\d+\n$/);
  }
});

test('output that cannot be written is a failure', { skip: !existsSync('/dev/full') && 'needs /dev/full' }, async () => {
  await siru(['import', baseTar(), 'full:1']);
  for (const args of ['images', '--version', 'save full:1', 'build -q -o - - < Dockerfile']) {
    const { status, stderr } = spawnSync('sh', ['-c', `printf 'FROM full:1' > Dockerfile; ${asShell} ${args} > /dev/full`], { env: environment, cwd: folder, encoding: 'utf8' });
    assert.equal(status, 1, args);
    assert.match(stderr, /siru: cannot write the output: ENOSPC/, args);
    assert.doesNotMatch(stderr, /fault of siru/);
  }
  assert.equal((await siru(['rmi', 'full:1'])).code, 0);
});

test('a build whose reader goes away before its end is no success', { skip: process.platform === 'win32' && 'needs pipes that break' }, async () => {
  const child = spawn(process.execPath, [program, 'build', '-q', '-o', '-', '-'], { env: environment });
  await new Promise((resolve) => child.stdout.once('close', resolve).destroy());
  // Only now can the build begin.
  child.stdin.end('FROM scratch\nENV A=1\n');
  assert.equal(await new Promise((resolve) => child.on('exit', resolve)), 141);
});

test('help names every command, and each command helps with examples', async () => {
  const { code, stdout } = await siru(['--help']);
  assert.equal(code, 0);
  const names = ['build', 'images', 'history', 'layers', 'files', 'diff', 'inspect', 'tag', 'rmi', 'pull', 'push', 'login', 'logout', 'save', 'load', 'import', 'prune', 'du', 'version', 'completion'];
  for (const name of names) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  await Promise.all(names.map(async (name) => {
    const help = await siru([name, '--help']);
    assert.equal(help.code, 0, name);
    assert.match(help.stdout, /^Usage: siru /);
    assert.match(help.stdout, /Examples:\n {2}\S/, name);
  }));
  assert.equal((await siru(['image', 'ls', '--help'])).stdout.split('\n')[0], 'Usage: siru image ls [OPTIONS] [REPOSITORY[:TAG]]');
  assert.equal((await siru(['help', 'tag'])).code, 0);
  assert.equal((await siru([])).code, 0);
  assert.match((await siru(['image'])).stdout, /Usage: siru image COMMAND/);
});

test('what is not understood is refused with a suggestion', async () => {
  const table: [string[], number, RegExp, RegExp][] = [
    [['buid', '.'], 1, /siru: unknown command 'buid'/, /hint: did you mean build\?/],
    [['image', 'lss'], 1, /unknown command 'lss'/, /did you mean ls\?/],
    [['images', '--fromat', 'x'], 1, /unknown option '--fromat'/, /did you mean --format\?/],
    [['tag', 'one'], 1, /missing required argument 'target'/, /see siru tag --help/],
    [['build', '.', 'extra'], 1, /too many arguments/, /siru build --help/],
    [['images', '--format', '{{.Nope}}', '-a'], 0, /^$/, /^$/],
    [['inspect', 'nothing'], 1, /no image nothing here/, /hint: /],
    [['build', '--policy', 'x', '.'], 1, /--policy: /, /^/],
    [['build', '-'], 1, /standard input is empty/, /hint: /],
    [['completion', 'tcsh'], 1, /Allowed choices are bash, zsh, fish/, /^/],
  ];
  await Promise.all(table.map(async ([args, code, message, hint]) => {
    const outcome = await siru(args);
    assert.equal(outcome.code, code, args.join(' ') + outcome.stderr);
    assert.match(outcome.stderr, message);
    assert.match(outcome.stderr, hint);
  }));
});

test('--debug shows where an error comes from', async () => {
  assert.doesNotMatch((await siru(['inspect', 'nothing'])).stderr, /\n {4}at /);
  assert.match((await siru(['--debug', 'tag', 'nothing', 'x'])).stderr, /\n {4}at /);
  assert.match((await siru(['tag', 'nothing', 'x', '-D'])).stderr, /\n {4}at /);
});

test('images come, are listed, named, looked at, saved, removed and loaded', async () => {
  const imported = await siru(['import', '-c', 'CMD ["sh"]', '-c', 'LABEL team=a', baseTar(), 'base:1.0']);
  assert.match(imported.stdout, /^sha256:[0-9a-f]{64}\n$/, imported.stderr);
  const id = imported.stdout.trim();
  const short = id.slice(7, 19);

  const list = (await siru(['images'])).stdout.split('\n');
  assert.match(list[0]!, /^REPOSITORY   TAG       IMAGE ID       CREATED +SIZE$/);
  assert.match(list[1]!, new RegExp(`^base +1\\.0 +${short} +.* ago +\\d+(\\.\\d+)?kB$`));
  assert.equal((await siru(['image', 'ls', '-q'])).stdout, `${short}\n`);
  assert.equal((await siru(['images', '-q', '--no-trunc'])).stdout, `${id}\n`);
  assert.equal(JSON.parse((await siru(['images', '--format', 'json'])).stdout).Repository, 'base');

  await siru(['tag', 'base:1.0', 'localhost:5000/group/app']);
  assert.equal((await siru(['images', '--format', '{{.Repository}}:{{.Tag}}', '-f', 'reference=localhost:5000/*/*'])).stdout, 'localhost:5000/group/app:latest\n');
  const [shown] = JSON.parse((await siru(['inspect', short])).stdout);
  assert.deepEqual(shown.RepoTags, ['base:1.0', 'localhost:5000/group/app:latest']);
  assert.deepEqual(shown.Config.Cmd, ['sh']);
  assert.equal((await siru(['inspect', '-f', '{{.Id}} {{.Config.Labels.team}} {{len .RootFS.Layers}}', 'base:1.0'])).stdout, `${id} a 1\n`);
  assert.match((await siru(['history', 'base:1.0'])).stdout, /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
  const bad = await siru(['inspect', '-f', '{{.Id', 'base:1.0']);
  assert.deepEqual([bad.code, bad.stderr.split('\n')[0]], [1, 'siru: template: 1:1: this action is never closed']);

  const archive = join(folder, 'saved.tar');
  assert.equal((await siru(['save', '-o', archive, 'base:1.0'])).code, 0);
  assert.match((await siru(['rmi', 'base:1.0', 'localhost:5000/group/app'])).stdout, /Untagged: base:1\.0\nUntagged: localhost:5000\/group\/app:latest\nDeleted: sha256:/);
  assert.equal((await siru(['rmi', 'base:1.0'])).code, 1);
  assert.equal((await siru(['rmi', '-f', 'base:1.0'])).code, 0);
  assert.equal((await siru(['load', '-q', '-i', archive])).stdout, 'Loaded image: base:1.0\n');
  assert.equal((await siru(['images', '-q', '--no-trunc'])).stdout, `${id}\n`);
  assert.match((await siru(['du'])).stdout, /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 /);

  assert.equal((await siru(['prune'], { input: 'n\n' })).stdout, 'Total reclaimed space: 0B\n');
  const pruned = await siru(['prune', '-a'], { input: 'y\n' });
  assert.match(pruned.stdout, /untagged: base:1\.0\n.*Total reclaimed space: \d/s, pruned.stderr);
  assert.equal((await siru(['images', '-q'])).stdout, '');
});

test('a build tells of its steps, and writes the files that it is asked for', async () => {
  await siru(['import', baseTar(), 'base:2.0']);
  const context = join(folder, 'context');
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'file'), 'one\n');
  writeFileSync(join(context, 'Dockerfile'), 'FROM base:2.0\nARG WHO\nCOPY file /file\nLABEL who=$WHO\nCMD ["x"]\n');
  const first = await siru(['build', '-t', 'built:1', '--build-arg', 'WHO', '--iidfile', 'iid', '--metadata-file', 'meta.json', '--progress', 'plain', 'context'], { env: { WHO: 'me' } });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, '');
  assert.match(first.stderr, /^#\d+ \[2\/2\] COPY file \/file$/m);
  assert.match(first.stderr, /1 step: 1 executed in /);
  const id = readFileSync(join(folder, 'iid'), 'utf8');
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8'));
  assert.equal(meta['containerimage.config.digest'], id);
  assert.equal(meta['image.name'], 'docker.io/library/built:1');
  assert.equal((await siru(['inspect', '-f', '{{.Id}} {{.Config.Labels.who}}', 'built:1'])).stdout, `${id} me\n`);

  assert.match((await siru(['build', '--progress=plain', '--build-arg', 'WHO=me', '.'], { cwd: context })).stderr, /CACHED[^]*1 step: 1 cached in /);
  const quiet = await siru(['image', 'build', '-q', '--build-arg', 'WHO=me', 'context']);
  assert.deepEqual([quiet.stdout, quiet.stderr], [`${id}\n`, '']);
  writeFileSync(join(context, 'file'), 'two\n');
  assert.match((await siru(['build', '--progress', 'plain', 'context'])).stderr, /missed: .*file/);
  const events = (await siru(['build', '--progress=json', 'context'])).stdout.trimEnd().split('\n').map((line) => JSON.parse(line).type);
  assert.equal(events.at(-1), 'build-done');
  const piped = await siru(['build', '-q', '-f', '-', 'context'], { input: 'FROM scratch\nCOPY file /\n' });
  assert.match(piped.stdout, /^sha256:/, piped.stderr);
});

test('on a terminal the picture is drawn over itself, and its last state stays', async (t) => {
  if (spawnSync('script', ['--version']).status !== 0) return t.skip('script (util-linux) is missing: no terminal to draw on');
  const context = join(folder, 'drawn');
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY a-file-with-a-rather-long-name-that-does-not-fit-into-the-line /\nCOPY \\\n . /all\n');
  writeFileSync(join(context, 'a-file-with-a-rather-long-name-that-does-not-fit-into-the-line'), 'x');
  const command = `stty cols 60 rows 12; ${asShell} build -t drawn "${context}"`;
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { env: { ...environment, TERM: 'xterm', NO_COLOR: '1' }, encoding: 'utf8' });
  assert.match(stdout, /\[\+\] Building \d\.\ds \(2\/\d\) FINISHED/);
  assert.match(stdout, / => \[2\/3\] COPY a-file.*…/);
  assert.ok(stdout.lastIndexOf('\u001b[?25h') > stdout.lastIndexOf('\u001b[?25l'), 'the cursor is shown again');
  for (const line of stdout.split(/\r?\n/)) {
    const shown = stripVTControlCharacters(line);
    assert.ok(shown.startsWith('image ') || shown.length <= 60, shown);
  }
});

test('a build that fails shows the place and exits with 1', async () => {
  const context = join(folder, 'broken');
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY missing /\n');
  const { code, stderr, stdout } = await siru(['build', '.'], { cwd: context });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /siru: .*missing/);
  assert.match(stderr, /Dockerfile:2|COPY missing \//);
});

/** How a command ends when it gets the signal after a while: its exit code (null when it did not catch it) and what it said. */
async function stopped(args: string[], signal: NodeJS.Signals, after: number): Promise<{ code: number | null; complaint: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...environment, SIRU_ROOT: join(folder, 'stopped') }, cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  setTimeout(() => child.kill(signal), after);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, complaint };
}

test('Ctrl-C stops a command with 130, a termination signal with 143', async () => {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    for (const args of [['build', '-f', '-', '.'], ['load'], ['import', '-']]) {
      let result = await stopped(args, signal, 500);
      // A busy machine may not have started the program by then.
      for (const after of [2000, 8000]) if (result.code === null) result = await stopped(args, signal, after);
      assert.deepEqual(result, { code, complaint: '' }, args.join(' '));
    }
  }
});

test('flags of run that are not understood, or not carried out, exit with 125', async () => {
  for (const [args, message] of [[['--bad', 'x'], /unknown option '--bad'/], [['-d', 'x'], /--detach: /], [['--pull', 'never', 'not-here'], /not-here/], [['-v', 'name:/x', 'x'], /named volumes/]] as const) {
    const { code, stderr } = await siru(['run', ...args]);
    assert.equal(code, 125, stderr);
    assert.match(stderr, message);
  }
});

test('a container runs with its exit code, its input and the changes that flags ask for', async (t) => {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
  const rung = (await siru(['info', '--format', '{{.Rung}}'])).stdout.trim();
  if (!busybox || rung === 'R5') return t.skip(busybox ? 'this machine has no way to run containers; see siru info' : 'busybox is missing');
  const tree = join(folder, 'busybox');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'sleep']) symlinkSync('busybox', join(tree, 'bin', name));
  spawnSync('tar', ['-C', tree, '-cf', join(folder, 'busybox.tar'), '.']);
  await siru(['import', '-c', 'ENV NAME=image', '-c', 'CMD ["sh", "-c", "echo $NAME"]', join(folder, 'busybox.tar'), 'busybox:1']);

  assert.equal((await siru(['run', '--rm', 'busybox:1'])).stdout, 'image\n');
  assert.equal((await siru(['run', '--rm=true', '-e=NAME=flag', 'busybox:1'])).stdout, 'flag\n');
  assert.deepEqual(await siru(['run', '--rm', 'busybox:1', 'sh', '-c', 'echo "$0 $1"; exit 3', '--rm', '-x']), { code: 3, stdout: '--rm -x\n', stderr: '' });
  assert.equal((await siru(['run', '-i', '--rm', 'busybox:1', 'cat'], { input: 'through\n' })).stdout, 'through\n');
  assert.equal((await siru(['run', '--rm', 'busybox:1', 'no-such-program'])).code, 127);
  assert.equal((await siru(['run', '--rm', 'busybox:1', '/bin'])).code, 126);

  assert.equal((await siru(['run', '--name', 'kept', 'busybox:1'])).code, 0);
  assert.match((await siru(['ps', '-a'])).stdout, /busybox:1 +"sh -c echo \$NAME" .*Exited \(0\) .*kept/);
  assert.match((await siru(['rmi', 'busybox:1'])).stderr, /used by container kept/);
  assert.equal((await siru(['rm', 'kept'])).stdout, 'kept\n');
  assert.equal((await siru(['container', 'ls', '-aq'])).stdout, '');
});

test('a reader that goes away is no error', async () => {
  const child = spawn('sh', ['-c', `${asShell} completion bash | head -1`], { env: environment });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  assert.equal(complaint, '');
});

test('completion for bash knows commands, options, values and images', async (t) => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return t.skip('bash is missing');
  await siru(['import', baseTar(), 'base:3.0']);
  const script = join(folder, 'completion.bash');
  writeFileSync(script, (await siru(['completion', 'bash'])).stdout);
  writeFileSync(join(folder, 'siru'), `#!/bin/sh\nexec ${asShell} "$@"\n`, { mode: 0o755 });
  const complete = (line: string): string[] => {
    const words = line.split(' ');
    const list = words.map((word) => `'${word}'`).join(' ');
    const { stdout, stderr } = spawnSync('bash', ['-c', `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; COMP_LINE='${line}'; COMP_POINT=${line.length}; _siru; printf '%s\\n' "\${COMPREPLY[@]}"`], {
      env: { ...environment, PATH: `${folder}:${process.env.PATH}` }, encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout.trimEnd().split('\n');
  };
  assert.deepEqual(complete('siru bu'), ['build', 'builds', 'builder']);
  assert.deepEqual(complete('siru image l'), ['layers', 'load', 'ls']);
  assert.deepEqual(complete('siru build --prog'), ['--progress']);
  assert.deepEqual(complete('siru build --progress pl'), ['plain']);
  assert.deepEqual(complete('siru --root /nowhere/else image hi'), ['history']);
  assert.ok(complete('siru history ba').includes('base:3.0'));
  assert.ok(complete('siru image rm ba').includes('base:3.0'));
  assert.deepEqual(complete('siru rm ba'), [''], 'containers, no images');
  assert.deepEqual(complete('siru run --isolation '), ['auto', 'root', 'userns']);
  assert.deepEqual(complete('siru run --network '), ['none', 'host']);
  assert.deepEqual(complete('siru build --network '), ['default', 'none', 'host']);
});

test('help says nothing of lists that are empty when not given', async () => {
  for (const command of ['build', 'run', 'images']) assert.doesNotMatch((await siru([command, '--help'])).stdout, /\[\]/);
  assert.doesNotMatch((await siru(['login', '--help'])).stdout, /--mirror/);
});

test('what is not here to push or remove is said so before anything else', async () => {
  assert.equal((await siru(['push', 'nosuch:1'])).stderr, 'siru: no image nosuch:1 here\nhint: list what there is with: siru images\n');
  assert.equal((await siru(['rm', 'nosuch'])).stderr, 'siru: there is no container nosuch\nhint: list what there is with: siru ps -a\n');
});

test('completion scripts for zsh and fish are made of the same commands', async () => {
  const zsh = (await siru(['completion', 'zsh'])).stdout;
  assert.match(zsh, /^#compdef siru/);
  assert.match(zsh, /_siru_image_ls\(\)/);
  const fish = (await siru(['completion', 'fish'])).stdout;
  assert.match(fish, /complete -c siru -f -n '__fish_use_subcommand' -a build/);
  assert.match(fish, /-l progress/);
});
