/** The executor on the rung that this user has; executor-userns.test.ts runs this file again as an ordinary user. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { baseLines, busybox, cannotRun, collect, openBench, specOf, writeLayer, type Bench, type Line } from './busybox-layer.suite.ts';
import { createExecutor } from './helper-client.ts';
import { findInit } from './init.ts';

const root = process.getuid?.() === 0;
/** `cap_net_raw+ep`, version 2. */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

describe('the executor', { skip: cannotRun }, () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test('a process has its arguments, environment, directory, host name and an empty input', async () => {
    const ran = await bench.run([bench.base], 'pwd; echo "$A|$B"; hostname; cat; echo err >&2; exit 7', { cwd: '/tmp', env: ['PATH=/bin', 'A=1 2', 'B=old', 'B=new'] });
    assert.deepEqual(ran, { exitCode: 7, stdout: '/tmp\n1 2|new\nbench\n', stderr: 'err\n' });
  });

  test('it finds no descriptors but the three', async () => {
    const ran = await bench.run([bench.base], 'for f in /proc/self/fd/*; do [ -e $f ] && echo ${f##*/}; done | sort -u | tr "\\n" " "');
    assert.match(ran.stdout, /^0 1 2 (?:3 |10 )?$/);
  });

  test('its output can be opened again under its names, by an ordinary user too', async () => {
    for (const name of ['root', 'app']) {
      const ran = await bench.run([bench.base], 'echo out > /dev/stdout; echo err > /dev/stderr; echo more >> /proc/self/fd/1', { user: { name } });
      assert.deepEqual(ran, { exitCode: 0, stdout: 'out\nmore\n', stderr: 'err\n' });
    }
  });

  test('it is process 1 of its own and sees nothing of the machine', async () => {
    const ran = await bench.run([bench.base], 'echo $$; ls / | tr "\\n" " "; cat /proc/1/comm; ls /proc | grep -c "^[0-9]"');
    const [pid, top] = ran.stdout.split('\n');
    assert.equal(pid, '1');
    assert.match(top!, /^bin dev etc home proc root sys tmp /);
  });

  test('the log of the kernel is not shown, whatever the machine shows its own users', async () => {
    const ran = await bench.run([bench.base], 'dmesg');
    assert.match(ran.stderr, /Operation not permitted/);
    assert.notEqual(ran.exitCode, 0);
  });

  test('no link that a process leaves where its mount points were leads to files of the machine', async () => {
    const outside = mkdtempSync(join(bench.root, 'outside-'));
    for (const name of ['file', 'kept']) writeFileSync(join(outside, name), '');
    mkdirSync(join(outside, 'dir'));
    const mounts = ['/a/file', '/a/dir', '/b/c/dir'].map((target) => ({ type: 'tmpfs' as const, target }));
    const ran = await bench.run([bench.base], `mv /a /x && ln -s ${outside} /a && mv /b /y && mkdir /b && ln -s ${outside} /b/c`, { mounts });
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.deepEqual(readdirSync(outside).sort(), ['dir', 'file', 'kept']);
  });

  test('nothing below /sys can be written', async () => {
    const ran = await bench.run([bench.base], `awk '$5 ~ "^/sys" && $6 !~ "^ro(,|$)"' /proc/self/mountinfo`);
    assert.deepEqual(ran, { exitCode: 0, stdout: '', stderr: '' });
  });

  test('users are numbers, or names of the tree', async () => {
    const script = 'echo $(id -u):$(id -g):$(id -G)';
    assert.equal((await bench.run([bench.base], script, { user: { uid: 12, gid: 34, groups: [34, 56] } })).stdout, '12:34:34 56\n');
    assert.equal((await bench.run([bench.base], script, { user: { name: 'app' } })).stdout, '1000:1001:1001 2000\n');
    await assert.rejects(bench.run([bench.base], script, { user: { name: 'nobody-here' } }), { code: 'NOT_FOUND' });
  });

  test('HOME is what the user has where it is not set, or empty', async () => {
    const home = async (env: string[]): Promise<string> => (await bench.run([bench.base], 'echo "$HOME"', { user: { name: 'app' }, env: ['PATH=/bin', ...env] })).stdout;
    assert.deepEqual([await home([]), await home(['HOME=']), await home(['HOME=/mine'])], ['/home/app\n', '/home/app\n', '/mine\n']);
  });

  test('what was written is the layer, the same on every rung', async () => {
    const lower = await bench.layer('diff', [
      { path: 'd' }, { path: 'd/gone', text: 'x' }, { path: 'd/kept', text: 'x' },
      { path: 'o' }, { path: 'o/hidden', text: 'x' },
      { path: 'tool', text: 'tool', mode: 0o755, xattrs: { 'security.capability': capability } },
    ]);
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base, lower], folder: bench.fresh() });
    const script = `umask 022; set -e
      rm /d/gone; rm -r /o; mkdir /o; echo new > /o/new
      mkdir -p /made/deep; echo text > /made/file; ln /made/file /made/other; ln -s ../file /made/deep/link
      chown 1000:1001 /made/file; chmod 4755 /made/file; mkfifo /made/pipe; chown 65000:65000 /made/deep
      touch -d @500 /made/file /made/pipe /o/new; touch -h -d @500 /made/deep/link
      touch -d @600 /tool /d /o /made/deep /made`;
    assert.deepEqual(await collect(executor, id, specOf(script)), { exitCode: 0, stdout: '', stderr: '' });
    const [tar, target] = [bench.fresh(), bench.fresh()];
    const summary = await executor.commit(id, { tar, target });
    const expected: Line[] = [
      { path: 'd', mtime: 600 }, { path: 'd/gone', type: 'whiteout' },
      { path: 'made', mtime: 600 }, { path: 'made/deep', uid: 65000, gid: 65000, mtime: 600 },
      { path: 'made/deep/link', link: '../file', mtime: 500 },
      { path: 'made/file', text: 'text\n', uid: 1000, gid: 1001, mode: 0o4755, mtime: 500 },
      { path: 'made/other', type: 'hardlink', link: 'made/file', uid: 1000, gid: 1001, mode: 0o4755, mtime: 500 },
      { path: 'made/pipe', type: 'fifo', mtime: 500 },
      { path: 'o', mtime: 600, opaque: true }, { path: 'o/new', text: 'new\n', mtime: 500 },
      { path: 'tool', text: 'tool', mode: 0o755, mtime: 600, xattrs: { 'security.capability': capability } },
    ];
    assert.deepEqual(summary, writeLayer(bench.fresh(), expected));
    assert.equal(existsSync(join(target, 'toc')), true);
    await executor.remove(id);
    // The upper directory is now a tree like the unpacked ones.
    const ran = await bench.run([bench.base, lower, join(target, 'fs')], 'ls /d /o; cat /made/deep/link; stat -c %u:%a /made/file');
    assert.equal(ran.stdout, '/d:\nkept\n\n/o:\nnew\ntext\n1000:4755\n');
    await executor.removeTrees([target]);
    assert.equal(existsSync(target), false);
  });

  test('the layer that was committed unpacks to the same tree again', async () => {
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    await collect(executor, id, specOf('mkdir /x; chown 1:2 /x; echo a > /x/a; rm -r /home; mkdir /home; touch -d @5 /x/a /x /home'));
    const [tar, target, again] = [bench.fresh(), bench.fresh(), bench.fresh()];
    const summary = await executor.commit(id, { tar, target });
    await executor.remove(id);
    assert.deepEqual(await executor.unpack({ blob: tar, compression: 'none', diffId: summary.diffId, target: again }), summary);
    assert.deepEqual(readFileSync(join(again, 'toc')), readFileSync(join(target, 'toc')));
    const list = 'find /x /home -exec stat -c "%n %a %u:%g %Y" {} + | sort';
    const [a, b] = await Promise.all([target, again].map((path) => bench.run([bench.base, join(path, 'fs')], list)));
    assert.equal(a!.stdout, b!.stdout);
    assert.match(a!.stdout, /\/x\/a 644 0:0 5/);
  });

  test('a snapshot is empty again after a commit, and keeps what was written between runs', async () => {
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    await collect(executor, id, specOf('echo 1 > /one'));
    assert.equal((await collect(executor, id, specOf('cat /one; echo 2 > /two', { mounts: [{ type: 'tmpfs', target: '/scratch' }] }))).stdout, '1\n');
    assert.equal((await executor.commit(id, { tar: bench.fresh(), target: bench.fresh() })).entries, 2);
    assert.equal((await collect(executor, id, specOf('ls / | grep -c "one\\|two"'))).stdout, '0\n');
    await executor.remove(id);
  });

  test('mount points and files of the runtime leave in the layer what they leave in BuildKit\'s', async () => {
    const { executor } = bench;
    const bare = await bench.layer('bare', [{ path: 'bin' }, { path: 'bin/busybox', file: busybox!, mode: 0o755 }, { path: 'bin/sh', link: 'busybox' }, { path: 'link', link: '/else/where' }]);
    // A directory that hides what lower layers hold, so that nothing below could serve as a mount point.
    const opaque = await bench.layer('opaque', [{ path: 'etc', opaque: true, mode: 0o750, uid: 3 }]);
    const there = mkdtempSync(join(bench.root, 'bind-'));
    for (const lowers of [[bare], [bench.base, opaque]]) {
      const { id } = await executor.prepare({ lowers, folder: bench.fresh() });
      const ran = await collect(executor, id, specOf('busybox stat -c "%a %u" /etc; busybox ls -d /a/b/c /link/x /etc/resolv.conf /run/secrets/s /etc/deep/dir', {
        user: { name: '' },
        mounts: [
          { type: 'bind', source: there, target: '/a/b/c' },
          { type: 'bind', source: there, target: '/link/x' },
          { type: 'tmpfs', target: '/etc/deep/dir' },
          { type: 'file', bytes: 'eA==', mode: 0o400, uid: 0, gid: 0, target: '/run/secrets/s' },
        ],
      }));
      assert.deepEqual([ran.exitCode, ran.stderr], [0, '']);
      assert.equal(ran.stdout.split('\n')[0], lowers.includes(opaque) ? '750 3' : '755 0');
      const target = bench.fresh();
      await executor.commit(id, { tar: bench.fresh(), target });
      const left = readdirSync(join(target, 'fs'), { recursive: true, encoding: 'utf8' }).sort().map((name) => {
        const { mode, uid } = lstatSync(join(target, 'fs', name));
        return `${name} ${(mode & 0o7777).toString(8)} ${uid}`;
      });
      if (root) assert.deepEqual(left, lowers.includes(opaque) ? ['etc 750 3'] : ['dev 755 0', 'proc 755 0', 'sys 755 0']);
      else assert.equal(left.length, lowers.includes(opaque) ? 1 : 3);
      await executor.remove(id);
    }
  });

  test('a stack of a hundred and fifty layers is one tree', async () => {
    const lowers = [bench.base];
    for (let index = 0; index < 150; index++) lowers.push(await bench.layer(`many-${'x'.repeat(80)}-${index}`, [{ path: `n${index}`, text: String(index) }, { path: 'last', text: String(index) }]));
    const ran = await bench.run(lowers, 'cat /n0 /n149 /last; ls -d /n* | wc -l');
    assert.equal(ran.stdout, '0149149150\n');
  });

  test('a folder goes into a tar and comes out of it as it was, with its owners', async () => {
    const folder = join(bench.root, 'cache-mounts', 'travels');
    const cache = { type: 'cache', folder, mode: 0o700, uid: 1000, gid: 1001, target: '/cache' } as const;
    const look = 'cd /cache; find . | sort | xargs stat -c "%n %a %u:%g %h %F"; readlink link; cat a/file';
    const first = await bench.run([bench.base], `mkdir /cache/a; echo text > /cache/a/file; chmod 640 /cache/a/file; chown 7:8 /cache/a; ln /cache/a/file /cache/twin; ln -s a/file /cache/link; ${look}`, { mounts: [cache] });
    assert.equal(first.exitCode, 0, first.stderr);
    const tar = bench.fresh();
    const { diffId } = await bench.executor.archive({ folder, tar });
    const target = bench.fresh();
    await bench.executor.unpack({ blob: tar, compression: 'none', diffId, target });
    const copy = `${folder}-copy`;
    await bench.executor.move(join(target, 'fs'), copy, { fresh: true });
    assert.equal((await bench.run([bench.base], look, { mounts: [{ ...cache, folder: copy }] })).stdout, first.stdout);
    const again = await bench.executor.archive({ folder: copy, tar: bench.fresh() });
    assert.equal(again.diffId, diffId);
  });

  test('bind, snapshot, cache, tmpfs and secret mounts', async () => {
    const there = mkdtempSync(join(bench.root, 'bind-'));
    writeFileSync(join(there, 'f'), 'host');
    const other = await bench.layer('other', [{ path: 'src' }, { path: 'src/a', text: 'from a' }, { path: 'seed' }, { path: 'seed/s', text: 'seed', uid: 7 }]);
    const folder = join(bench.root, 'cache-mounts', 'c');
    const cache = { type: 'cache', folder, mode: 0o750, uid: 1000, gid: 1001, target: '/cache' } as const;
    const ran = await bench.run([bench.base], `
      cat /host/f /one /src/a /rw/a; echo; echo x > /rw/new && ls /rw | tr "\\n" " "; echo x > /src/new; echo x > /one
      stat -c "%a %u:%g" /cache /secret; cat /secret; echo kept > /cache/kept; cat /seeded/s; stat -c %u /seeded/s; df /ram | tail -1 | cut -d" " -f1`, {
      mounts: [
        { type: 'bind', source: there, target: '/host', readonly: true },
        { type: 'snapshot', lowers: [other], source: '/src/a', target: '/one', readonly: true },
        { type: 'snapshot', lowers: [other], source: 'src', target: '/src', readonly: true },
        { type: 'snapshot', lowers: [bench.base, other], source: '/src', target: '/rw' },
        cache,
        { ...cache, folder: `${folder}2`, target: '/seeded', from: { lowers: [other], source: '/seed' } },
        { type: 'tmpfs', target: '/ram', size: 1 << 20 },
        { type: 'file', bytes: Buffer.from('hush').toString('base64'), mode: 0o440, uid: 1000, gid: 1001, target: '/secret' },
      ],
    });
    assert.equal(ran.stdout, 'hostfrom afrom afrom a\na new 750 1000:1001\n440 1000:1001\nhushseed7\ntmpfs\n');
    assert.match(ran.stderr, /src\/new: Read-only file system[^]*\/one: Read-only/);
    assert.equal((await bench.run([bench.base], 'cat /cache/kept', { mounts: [cache] })).stdout, 'kept\n');
    assert.deepEqual(readdirSync(join(bench.root, 'layers', 'other', 'fs', 'src')), ['a']);
    await assert.rejects(bench.run([bench.base], ':', { mounts: [{ type: 'bind', source: join(there, 'none'), target: '/x' }] }), { code: 'NOT_FOUND' });
    await assert.rejects(bench.run([bench.base], ':', { mounts: [{ type: 'snapshot', lowers: [other], source: '/none', target: '/x' }] }), { code: 'NOT_FOUND' });
  });

  test('behind a socket in the container stands one of the host', { skip: existsSync('/usr/bin/ssh-add') ? false : 'there is no ssh-add' }, async () => {
    const source = join(mkdtempSync(join(bench.root, 's-')), 'agent');
    let asked = 0;
    // An agent without keys.
    const server = createServer((socket) => socket.once('data', () => {
      asked++;
      socket.end(Buffer.of(0, 0, 0, 5, 12, 0, 0, 0, 0));
    })).listen(source);
    const host = ['/usr', '/lib', '/lib64'].filter((path) => existsSync(path)).map((path) => ({ type: 'bind' as const, source: path, target: path, readonly: true }));
    const mounts = [...host, { type: 'socket' as const, source, target: '/run/agent', mode: 0o600, uid: 1000, gid: 1001 }];
    const script = 'stat -c "%a %u:%g" /run/agent; SSH_AUTH_SOCK=/run/agent /usr/bin/ssh-add -L';
    const ran = await bench.run([bench.base], script, { mounts, user: { uid: 1000, gid: 1001, groups: [1001] } });
    assert.deepEqual(ran, { exitCode: 1, stdout: '600 1000:1001\nThe agent has no identities.\n', stderr: '' });
    assert.match((await bench.run([bench.base], script, { mounts, user: { uid: 7, gid: 7, groups: [7] } })).stderr, /ermission denied|connection to agent/);
    assert.equal(asked, 1);
    server.close();
    const gone = await bench.run([bench.base], script, { mounts, user: { uid: 1000, gid: 1001, groups: [1001] } });
    assert.equal(gone.exitCode !== 0, true);
  });

  test('a network of its own has a loopback device only', async () => {
    const ran = await bench.run([bench.base], 'ls /sys/class/net; cat /sys/class/net/lo/operstate; ip addr show lo | grep -c 127.0.0.1', { network: 'none' });
    assert.equal(ran.stdout, 'lo\nunknown\n1\n');
  });

  test('names are in /etc/hosts and resolvers in /etc/resolv.conf', async () => {
    const ran = await bench.run([bench.base], 'cat /etc/hosts /etc/resolv.conf', { hosts: [['10.0.0.9', 'nine']] });
    assert.match(ran.stdout, /127\.0\.0\.1\tlocalhost[^]*10\.0\.0\.9\tnine\n/);
    assert.ok(ran.stdout.endsWith(readFileSync('/etc/resolv.conf', 'utf8')));
  });

  test('a program that is missing or no program gives 127 or 126, and no output', async () => {
    const lower = await bench.layer('programs', [{ path: 'text', text: 'not executable' }, { path: 'folder' }, { path: 'lost', text: '#!/no/interpreter\n', mode: 0o755 }, { path: 'foreign', text: '\u007fELF', mode: 0o755 }]);
    for (const [program, code] of [['/none', 127], ['none', 127], ['/text', 126], ['/folder', 126], ['/lost', 127], ['/foreign', 126]] as const) {
      const ran = await bench.run([bench.base, lower], '', { args: [program] });
      assert.equal(ran.exitCode, code, `${program}: ${ran.startFailure}`);
      assert.ok(ran.startFailure);
      assert.equal(ran.stdout + ran.stderr, '', program);
    }
  });

  test('output comes whole and in order, whatever its amount, to a slow reader', async () => {
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    let bytes = 0;
    let last = '';
    const script = 'head -c 100000000 /dev/zero; echo; for i in 1 2 3; do echo line $i; done; echo last';
    const result = await executor.run(id, specOf(script), { type: 'stream', onOutput: (_stream, chunk) => {
      if (bytes < 2_000_000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
      bytes += chunk.length;
      last = (last + chunk.toString('latin1')).slice(-100);
    } });
    assert.equal(result.exitCode, 0);
    assert.equal(bytes, 100_000_000 + 1 + 21 + 5);
    assert.ok(last.endsWith('\nline 1\nline 2\nline 3\nlast\n'));
    await executor.remove(id);
  });

  test('a signal reaches the process; the abort signal kills it and all that it started', async () => {
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    const trap = 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.1; done';
    let seen = '';
    const result = await executor.run(id, specOf(trap), { type: 'stream', onOutput: (_stream, bytes) => {
      seen += bytes.toString();
      if (seen === 'ready\n') void executor.kill(id, 'SIGTERM');
    } });
    assert.deepEqual([result, seen], [{ exitCode: 5 }, 'ready\ngot it\n']);
    const abort = new AbortController();
    const begin = Date.now();
    await assert.rejects(executor.run(id, specOf('sleep 100 & sleep 100; :'), { type: 'stream', onOutput: () => {} }, AbortSignal.any([abort.signal, AbortSignal.timeout(300)])), { code: 'CANCELLED' });
    assert.ok(Date.now() - begin < 20_000);
    // At once, while the runtime still starts it.
    const early = new AbortController();
    const started = executor.run(id, specOf('sleep 100'), { type: 'stream', onOutput: () => {} }, early.signal);
    early.abort();
    await assert.rejects(started, { code: 'CANCELLED' });
    assert.equal((await collect(executor, id, specOf('echo alive'))).stdout, 'alive\n');
    await executor.remove(id);
  });

  test('a process that a signal ended has 128 and its number', async () => {
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    const ended = executor.run(id, specOf('echo ready; sleep 100'), { type: 'stream', onOutput: () => void executor.kill(id, 'SIGKILL') });
    assert.deepEqual(await ended, { exitCode: 137 });
    await executor.remove(id);
  });

  test('many processes run at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => bench.run([bench.base], `sleep 0.2; echo ${index}`)));
    assert.deepEqual(all.map(({ stdout }) => stdout.trim()), ['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('mounts, namespaces, disks and consoles are out of reach', async () => {
    const script = `mkdir /m; mount -t tmpfs none /m; unshare -m true; mknod /disk b 8 0; mknod /port c 1 4; mknod /console c 5 1; mknod /tty0 c 4 0
      ls /disk /port /console /tty0; cat /proc/kcore | head -c 1; echo 1 > /proc/sys/kernel/panic; true`;
    const ran = await bench.run([bench.base], script);
    assert.equal(ran.stdout, '');
    assert.equal(ran.stderr.match(/not permitted|denied|Read-only/g)!.length, 7 - (root ? 0 : 0), ran.stderr);
    const layer = await bench.layer('nodes', [{ path: 'disk', type: 'block', major: 8, minor: 0, mode: 0o666 }, { path: 'null', type: 'char', major: 1, minor: 3, mode: 0o666 }]);
    assert.equal((await bench.run([bench.base, layer], 'ls /disk /null 2>/dev/null')).stdout, root ? '/null\n' : '');
  });

  test('harmless devices can be made where root is root', { skip: root ? false : 'devices need root' }, async () => {
    assert.deepEqual(await bench.run([bench.base], 'mknod /null c 1 3 && echo x > /null && echo made'), { exitCode: 0, stdout: 'made\n', stderr: '' });
  });

  test('an insecure process may mount', async () => {
    assert.equal((await bench.run([bench.base], 'mkdir /m && mount -t tmpfs none /m && echo mounted', { insecure: true })).stdout, 'mounted\n');
  });

  test('the root can be read-only, with room in a tmpfs', async () => {
    const ran = await bench.run([bench.base], 'echo x > /f; echo x > /tmp/f && echo there', { readonlyRoot: true, mounts: [{ type: 'tmpfs', target: '/tmp', noexec: true }] });
    assert.equal(ran.stdout, 'there\n');
    assert.match(ran.stderr, /Read-only/);
  });

  test('limits are kept, or it is told that they are not', async () => {
    const ran = await bench.run([bench.base], 'head -c 200m /dev/zero | tail | wc -c', { limits: { memory: 32 << 20, pids: 20, cpus: 0.5 } });
    if (root && bench.warnings.length === 0) assert.notEqual(ran.stdout.trim(), String(200 << 20));
    else assert.match(bench.warnings.join(), /limits/);
    bench.warnings.length = 0;
  });

  test('open files are limited to what is asked', async () => {
    assert.equal((await bench.run([bench.base], 'ulimit -n', { ulimits: [{ name: 'nofile', soft: 100, hard: 200 }] })).stdout, '100\n');
  });

  test('an init reaps, passes signals on and ends with the code of its child', { skip: hasInit() }, async () => {
    assert.deepEqual(await bench.run([bench.base], 'echo $$; exit 9', { init: true }).then(({ exitCode, stdout }) => [exitCode, stdout !== '1\n']), [9, true]);
    const { executor } = bench;
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    let seen = '';
    const script = 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.1; done';
    const result = await executor.run(id, specOf(script, { init: true }), { type: 'stream', onOutput: (_stream, bytes) => {
      seen += bytes.toString();
      if (seen === 'ready\n') void executor.kill(id, 'SIGTERM');
    } });
    assert.deepEqual([result.exitCode, seen], [5, 'ready\ngot it\n']);
    await executor.remove(id);
  });

  test('a tar that is another one is refused, and nothing of it stays', async () => {
    const blob = bench.fresh();
    writeLayer(blob, baseLines);
    const target = join(bench.root, 'layers', 'wrong');
    await assert.rejects(bench.executor.unpack({ blob, compression: 'none', diffId: `sha256:${'0'.repeat(64)}`, target }), { code: 'DIGEST' });
    assert.deepEqual(readdirSync(target), []);
  });

  test('a tree with any owners and names is moved and removed', async () => {
    const { executor } = bench;
    const from = await bench.layer('movable', [{ path: 'd', uid: 1234, mode: 0o700 }, { path: 'd/\udcff', text: 'x', uid: 4321 }]);
    const to = join(bench.root, 'layers', 'deep', 'moved');
    await executor.move(from, to);
    assert.ok(lstatSync(join(to, 'd')).isDirectory());
    await executor.removeTrees([to, join(bench.root, 'never')]);
    assert.equal(existsSync(to), false);
  });

  test('what the helper found out is kept, and a later one uses it', async () => {
    const file = join(bench.root, 'isolation.json');
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(kept.setup.rung, root ? 'R0' : 'R1');
    await using second = await createExecutor({ folder: join(bench.root, 'tmp') });
    const { id } = await second.prepare({ lowers: [bench.base], folder: bench.fresh() });
    assert.equal((await collect(second, id, specOf('echo yes'))).stdout, 'yes\n');
  });

  test('an executor that was closed says so', async () => {
    const executor = await createExecutor({ folder: join(bench.root, 'tmp') });
    const { id } = await executor.prepare({ lowers: [bench.base], folder: bench.fresh() });
    const running = executor.run(id, specOf('sleep 100'), { type: 'stream', onOutput: () => {} });
    const refused = assert.rejects(running, { code: 'RUNTIME' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await executor.close();
    await refused;
    await assert.rejects(executor.remove(id), { code: 'RUNTIME' });
  });

  test('no way to RUN is an error that tells why', async () => {
    const folder = join(bench.root, 'tmp');
    await assert.rejects(createExecutor({ folder, isolation: 'none' }), { code: 'RUNTIME', hint: /switched off/ });
    if (!root) await assert.rejects(createExecutor({ folder, isolation: 'root' }), { code: 'RUNTIME' });
    mkdirSync(join(bench.root, 'none'), { recursive: true });
  });
});

function hasInit(): string | false {
  try {
    findInit();
    return false;
  } catch {
    return 'needs a static tini or busybox';
  }
}
