/** What stays when the asking process is killed: nothing but files in tmp/, which the store deletes when it is opened next. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cannotRun, openBench } from './busybox-layer.suite.ts';
import { makeOrdinaryUser, noOrdinaryUser } from './ordinary-user.suite.ts';
import { findProgram } from './runtimes.ts';

const program = fileURLToPath(new URL('./killed.suite.ts', import.meta.url));
const rounds = Number(process.env['SIRU_KILL_ROUNDS'] ?? 12);

/** Processes whose command line names one of these, or who see a mount that does. */
function processesOf(marks: string[]): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
      if (marks.some((mark) => line.includes(mark) || mounts.includes(mark))) found.push(`${pid} ${line}`);
    } catch {
      // It has just ended.
    }
  }
  return found;
}

async function untilGone(marks: string[]): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (processesOf(marks).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(processesOf(marks), []);
}

async function killAtRandomMoments(root: string, base: string, prefix: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  // The words after the number are ignored by nothing: sleep sums its arguments, so the marker is a number too.
  const marker = String(100_000 + process.pid);
  for (let round = 0; round < rounds; round++) {
    const [command, ...args] = [...prefix, process.execPath, program, root, base, marker];
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
    const word = round % 3 === 0 ? 'started' : 'running';
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (text.includes(word)) resolve();
      });
      child.once('close', () => reject(new Error(`it ended: ${text}`)));
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    child.kill('SIGKILL');
    await untilGone([marker, root, `for-${child.pid}`]);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(root));
  }
}

test('after kill -9 no process and no mount stays', { skip: cannotRun }, async () => {
  await using bench = await openBench();
  // The bench's own helper does not name the folder on its command line.
  await killAtRandomMoments(bench.root, bench.base, [], process.env);
});

test('nor for an ordinary user', { skip: cannotRun || noOrdinaryUser() }, async () => {
  using user = makeOrdinaryUser();
  const setpriv = [findProgram('setpriv')!, '--reuid', user.name, '--regid', user.name, '--init-groups'];
  const environment = { PATH: process.env['PATH'], HOME: user.home, TMPDIR: user.home };
  const open = fileURLToPath(new URL('./busybox-layer.suite.ts', import.meta.url));
  const made = user.run([process.execPath, '--input-type=module', '-e', `
    const { openBench } = await import(${JSON.stringify(open)});
    const bench = await openBench();
    console.log(JSON.stringify([bench.root, bench.base]));
    await bench.executor.close();`]);
  assert.equal(made.status, 0, made.stderr);
  const [root, base] = JSON.parse(made.stdout) as [string, string];
  await killAtRandomMoments(root, base, setpriv, environment);
});
