import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findImage } from '../images/resolve.ts';
import { formatPlatform, hostPlatform } from '../oci/platform.ts';
import { cannotRun } from '../runtime/busybox-layer.suite.ts';
import { createExecutor } from '../runtime/helper-client.ts';
import { findContainer, listContainers, removeContainer } from './container.ts';
import type { RunOptions, RunResult } from './options.ts';
import { runContainer } from './run.ts';
import { openStoredBench, type StoredBench } from './stored-image.suite.ts';

const program = fileURLToPath(new URL('./run.suite.ts', import.meta.url));

describe('a container', { skip: cannotRun }, () => {
  let bench: StoredBench;
  before(async () => {
    bench = await openStoredBench();
    bench.add('plain', { Cmd: ['sh', '-c', 'echo "hello $NAME"'], Env: ['PATH=/bin', 'NAME=world'] });
    bench.add('full', { Entrypoint: ['sh', '-c'], Cmd: ['id -u; pwd; echo $HOME'], Env: ['PATH=/bin'], User: 'app', WorkingDir: '/home/app', StopSignal: 'SIGUSR1' });
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
  });

  async function run(options: Partial<RunOptions>): Promise<RunResult & { stdout: string; stderr: string }> {
    const output = { stdout: '', stderr: '' };
    const result = await runContainer({ store: bench.store, image: 'plain', remove: true, ...options, onOutput: (stream, bytes) => (output[stream] += bytes.toString()) });
    return { ...result, ...output };
  }
  const sh = (script: string, options: Partial<RunOptions> = {}): ReturnType<typeof run> => run({ args: ['sh', '-c', script], ...options });

  test('runs what its image says, with the environment that it says', async () => {
    assert.deepEqual([(await run({})).stdout, (await run({ env: [['NAME', 'Seoul']] })).stdout], ['hello world\n', 'hello Seoul\n']);
    assert.equal((await run({ image: 'full' })).stdout, '1000\n/home/app\n/home/app\n');
    assert.equal((await run({ image: 'full', entrypoint: 'id', args: ['-g'], user: 'root' })).stdout, '0\n');
    assert.equal((await sh('echo $PATH; echo ${NAME-none}; echo $HOME; hostname; cat /etc/hostname', { env: [['NAME', undefined]], hostname: 'box' })).stdout, '/bin\nnone\n/root\nbox\nbox\n');
  });

  test('an image that is named by its ID, and is for the platform that is asked for, is run without a registry', async () => {
    const image = findImage(bench.store, 'plain')!.imageId.slice(7, 27);
    assert.equal((await run({ image, platform: formatPlatform(hostPlatform()) })).stdout, 'hello world\n');
  });

  test('its directory is made when it is missing', async () => {
    assert.equal((await sh('pwd', { workdir: '/some/where' })).stdout, '/some/where\n');
  });

  test('gives docker\'s exit codes', async () => {
    assert.equal((await sh('exit 42')).exitCode, 42);
    const missing = await run({ args: ['nothing-of-the-kind'] });
    assert.equal(missing.exitCode, 127);
    assert.match(missing.startFailure!, /not found/);
    assert.equal((await run({ args: ['/etc/passwd'] })).exitCode, 126);
  });

  test('mounts directories of the machine', async () => {
    const there = join(bench.root, 'there');
    mkdirSync(there);
    writeFileSync(join(there, 'f'), 'from outside');
    const made = join(bench.root, 'made', 'deep');
    const ran = await sh('cat /a/f; echo out > /b/g; echo x > /a/f', { mounts: [{ type: 'bind', source: there, target: '/a', readonly: true }, { type: 'bind', source: made, target: '/b', create: true }] });
    assert.equal(ran.stdout, 'from outside');
    assert.match(ran.stderr, /Read-only/);
    assert.equal(readFileSync(join(made, 'g'), 'utf8'), 'out\n');
    await assert.rejects(sh(':', { mounts: [{ type: 'bind', source: join(there, 'none'), target: '/a' }] }), { code: 'NOT_FOUND' });
  });

  test('leaves nothing with remove, and itself without', async () => {
    assert.deepEqual([listContainers(bench.store), readdirSync(bench.store.path('containers'))], [[], []]);
    const { id } = await sh('echo kept > /kept; exit 3', { remove: false, name: 'keeper' });
    const [container] = listContainers(bench.store);
    assert.deepEqual([container!.id, container!.name, container!.status, container!.exitCode], [id, 'keeper', 'exited', 3]);
    assert.deepEqual(container!.layers.length, 1);
    assert.deepEqual(readdirSync(bench.store.path('containers', id)).sort(), ['container.json', 'upper']);
    assert.equal(readFileSync(bench.store.path('containers', id, 'upper', 'kept'), 'utf8'), 'kept\n');
    await assert.rejects(sh(':', { name: 'keeper' }), { code: 'IN_USE' });
    assert.equal(findContainer(bench.store, id.slice(0, 6)).name, 'keeper');
    await removeContainer(bench.store, 'keeper', () => createExecutor({ folder: bench.store.path('tmp') }));
    assert.deepEqual(readdirSync(bench.store.path('containers')), []);
    assert.throws(() => findContainer(bench.store, 'keeper'), { code: 'NOT_FOUND' });
  });

  test('what is wrong with the request is told before anything is made', async () => {
    await assert.rejects(run({ image: 'not-here', pull: 'never' }), { code: 'NOT_FOUND' });
    await assert.rejects(run({ name: '-x' }), { code: 'USAGE' });
    await assert.rejects(run({ user: 'stranger' }), { code: 'NOT_FOUND' });
    assert.deepEqual(readdirSync(bench.store.path('containers')), []);
  });

  test('the AbortSignal stops it with its stop signal, and with SIGKILL when that is not enough', async () => {
    for (const [script, seen] of [['trap "echo stopped; exit 0" USR1', 'ready\nstopped\n'], ['trap "" USR1', 'ready\n']]) {
      const abort = new AbortController();
      let stdout = '';
      const running = runContainer({
        store: bench.store, image: 'full', remove: true, args: [`${script}; echo ready; while :; do sleep 0.1; done`], stopTimeout: 300, signal: abort.signal,
        onOutput: (_stream, bytes) => {
          stdout += bytes.toString();
          if (stdout === 'ready\n') abort.abort();
        },
      });
      await assert.rejects(running, { code: 'CANCELLED' });
      assert.equal(stdout, seen);
    }
    assert.deepEqual(readdirSync(bench.store.path('containers')), []);
  });

  test('has the standard streams of the calling process, and no terminal unless it asks', () => {
    const ran = spawnSync(process.execPath, [program, bench.root, '-i', 'cat; echo err >&2; test -t 0 || echo no terminal; exit 4'], { input: 'in\n', encoding: 'utf8' });
    assert.deepEqual([ran.status, ran.stdout, ran.stderr], [4, 'in\nno terminal\n', 'err\n']);
    const empty = spawnSync(process.execPath, [program, bench.root, '', 'cat; echo done'], { input: 'in\n', encoding: 'utf8' });
    assert.equal(empty.stdout, 'done\n');
    const big = spawnSync('sh', ['-c', '"$@" | wc -c', 'sh', process.execPath, program, bench.root, '', 'head -c 30000000 /dev/zero'], { encoding: 'utf8' });
    assert.equal(big.stdout.trim(), '30000000');
    const missing = spawnSync(process.execPath, [program, bench.root, 'exec', 'no-such-program'], { encoding: 'utf8' });
    assert.deepEqual([missing.status, missing.stdout, missing.stderr], [127, '', '']);
  });

  test('has a terminal of its own with -t, in which keys are its own', { skip: python() }, () => {
    const script = 'tty; stty size; trap "echo got INT" INT; echo ready; until read line; do :; done; echo "read $line"; test -c /dev/console && echo console';
    const ran = spawnSync('python3', ['-c', pty, process.execPath, program, bench.root, '-it', script], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, /\/dev\/(?:pts\/0|console)\r\n33 111\r\nready\r\n/);
    assert.match(ran.stdout, /got INT/);
    assert.match(ran.stdout, /read typed\r\n/);
    assert.match(ran.stdout, /exit 0$/);
  });

  test('a signal to the calling process reaches it once', async () => {
    const child = spawn(process.execPath, [program, bench.root, '', 'trap "echo term" TERM; echo ready; sleep 1 & wait; sleep 1 & wait; exit 6'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
      if (stdout === 'ready\n') child.kill('SIGTERM');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.deepEqual([code, stdout], [6, 'ready\nterm\n']);
  });

  test('what a killed process left is swept by the next run', async () => {
    const child = spawn(process.execPath, [program, bench.root, '', 'echo ready; sleep 100'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [running] = listContainers(bench.store);
    assert.equal(running!.status, 'running');
    await assert.rejects(removeContainer(bench.store, running!.id, () => Promise.reject(new Error('not asked'))), { code: 'IN_USE' });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    assert.deepEqual([listContainers(bench.store)[0]!.status, listContainers(bench.store)[0]!.exitCode], ['exited', 137]);
    await run({});
    assert.equal(existsSync(bench.store.path('containers', running!.id)), false);
  });
});

function python(): string | false {
  return spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'needs python3 for a pseudo-terminal';
}

/** Runs a program on a terminal of 33 lines and 111 columns; when it is ready, presses Ctrl-C and types a line. */
const pty = `
import os, pty, sys, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 111, 0, 0))
text, typed = b'', 0
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    text += chunk
    if typed == 0 and b'ready' in text:
        os.write(fd, b'\\x03')
        typed = 1
    if typed == 1 and b'got INT' in text:
        os.write(fd, b'typed\\n')
        typed = 2
status = os.waitpid(pid, 0)[1]
sys.stdout.write(text.decode())
sys.stdout.write('exit %d' % os.waitstatus_to_exitcode(status))
`;
