import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { answer } from './agent.ts';
import { openAgent } from './open-agent.ts';
import { parsePrivateKey } from './private-key.ts';
import { string, uint32 } from './wire.ts';

const missing = (program: string): string | false => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return false;
  } catch {
    return `there is no ${program}`;
  }
};
const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const kinds = [['ed25519', []], ['rsa', ['-b', '2048']], ['ecdsa', ['-b', '256']], ['ecdsa', ['-b', '384']], ['ecdsa', ['-b', '521']]] as const;

for (const [type, size] of kinds) {
  for (const format of ['RFC4716', 'PEM'] as const) {
    if (type === 'ed25519' && format === 'PEM') continue;
    test(`ssh-keygen's ${[type, ...size].join(' ')} keys (${format}) are known to ssh-add, and sign`, { skip: missing('ssh-keygen') || missing('ssh-add') }, async (t) => {
      const folder = folderOf(t);
      const file = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', type, ...size, '-m', format, '-N', '', '-C', 'me', '-f', file]);
      using agent = await openAgent({ id: 'default', paths: [file] });
      const list = await run('ssh-add', ['-L'], agent.path);
      const written = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' ');
      assert.ok(list.startsWith(`${written.trim()} `), `${list} is ${written}`);
      writeFileSync(join(folder, 'data'), 'text');
      await run('ssh-keygen', ['-Y', 'sign', '-n', 'file', '-f', `${file}.pub`, join(folder, 'data')], agent.path);
      writeFileSync(join(folder, 'signers'), `me ${written}\n`);
      execFileSync('ssh-keygen', ['-Y', 'verify', '-n', 'file', '-f', join(folder, 'signers'), '-I', 'me', '-s', join(folder, 'data.sig')], { input: 'text' });
    });
  }
}

/** Not synchronously: it is this process that answers. */
async function run(program: string, args: string[], agent: string): Promise<string> {
  const { promisify } = await import('node:util');
  const { execFile } = await import('node:child_process');
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, SSH_AUTH_SOCK: agent } });
  return stdout;
}

test('a locked key and what is no key are refused with the way out', async (t) => {
  const folder = folderOf(t);
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'key');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }));
  await assert.rejects(openAgent({ id: 'a', paths: [file] }), { code: 'CONTEXT', message: /locked with a passphrase/, hint: /ssh-add/ });
  writeFileSync(file, 'nothing');
  await assert.rejects(openAgent({ id: 'a', paths: [file] }), { code: 'CONTEXT', message: /no private key/ });
  await assert.rejects(openAgent({ id: 'a', paths: [join(folder, 'none')] }), { code: 'CONTEXT', message: /cannot read/ });
});

test('a socket is passed on as it is, and cannot be one of several', async (t) => {
  const path = join(folderOf(t), 'socket');
  const server = createServer().listen(path);
  t.after(() => server.close());
  using agent = await openAgent({ id: 'a', paths: [path] });
  assert.equal(agent.path, path);
  await assert.rejects(openAgent({ id: 'a', paths: [path, path] }), { message: /either one socket or keys/ });
});

test('a client that asks much and listens late gets all answers', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = join(folderOf(t), 'key');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  using agent = await openAgent({ id: 'a', paths: [file] });
  const count = 20_000;
  const socket = connect(agent.path);
  socket.write(Buffer.concat(Array.from({ length: count }, () => string(Buffer.of(11)))));

  const size = string(answer(Buffer.of(11), [parsePrivateKey(readFileSync(file, 'utf8'), file)])).length;
  let got = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) if ((got += chunk.length) >= count * size) break;
  assert.equal(got, count * size);
});

test('messages that it does not know, damaged ones and those without end are answered or ended', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = parsePrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'key');
  assert.equal(createPublicKey(privateKey).asymmetricKeyType, 'ed25519');
  for (const message of [[], [99], [13], [13, 0, 0, 0, 9], [17, 1, 2]]) assert.deepEqual([...answer(Buffer.from(message), [key])], [5]);
  assert.deepEqual([...answer(Buffer.concat([Buffer.of(13), string('other'), string('data'), uint32(0)]), [key])], [5]);
  assert.equal(answer(Buffer.of(11), [])[0], 12);
  const folder = mkdtempSync(join(tmpdir(), 'siru-agent-'));
  const file = join(folder, 'key');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const agent = await openAgent({ id: 'a', paths: [file] });
  rmSync(folder, { recursive: true });
  const socket = connect(agent.path);
  socket.write(Buffer.of(255, 255, 255, 255));
  await new Promise((resolve) => socket.once('close', resolve));
  agent[Symbol.dispose]();
  assert.equal(existsSync(dirname(agent.path)), false);
});
