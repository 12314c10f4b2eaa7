/**
 * The machine's git as a tool that takes hostile repositories: nothing of the user's or the system's configuration counts,
 * no hook, filter or helper runs, nobody is asked anything, secrets stand in no command line, and time and space have ends.
 */
import { spawn } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf } from '../../base/errors.ts';
import { printable } from './git-url.ts';

export interface GitAccess {
  /** Where the authorization may be sent: the beginning of addresses. */
  scope?: string;
  /** Value of the header Authorization. */
  authorization?: string;
  /** Socket of the SSH agent that may be asked; without one no key of the user is used. */
  sshAgent?: string;
  /** No server is asked. */
  offline?: boolean;
}

export interface GitCall {
  /** Where git runs; the repository's folder. */
  folder: string;
  environment?: Record<string, string>;
  /** `file` only for what this program itself made; else what may come over the network. */
  from?: 'network' | 'here';
  /** This folder may not grow beyond what a repository may have. */
  watch?: string;
  /** Milliseconds. */
  longest?: number;
}

/** Longest time of a question to a server, and of a transfer or checkout, in milliseconds. */
const longestQuestion = 2 * 60_000;
export const longestTransfer: number = 30 * 60_000;
/** Most bytes and files of a repository, and of its files as they are checked out. */
export const largestRepository: number = 16 * 2 ** 30;
export const mostRepositoryFiles = 2_000_000;
/** Most bytes that git may print: the list of a server's refs. */
const mostOutput = 32 << 20;
/** Seconds without a byte before a transfer by http is given up. */
const patience = 60;

/** Runs git; gives what it prints. `shown` is the repository in messages. Throws NETWORK, AUTH, CONTEXT, UNSUPPORTED. */
export async function runGit(shown: string, args: string[], call: GitCall, access: GitAccess, context: Context): Promise<string> {
  checkCancelled(context);
  const stop = new AbortController();
  const child = spawn('git', args, {
    cwd: call.folder,
    env: environmentOf(call, access),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its helpers (git-remote-https, ssh) end with it: they are one group.
    detached: process.platform !== 'win32',
  });
  let why: SiruError | undefined;
  const end = (error: SiruError): void => {
    why ??= error;
    try {
      if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL');
      else child.kill('SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const output: Buffer[] = [];
  let printed = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output.push(chunk);
    if ((printed += chunk.length) > mostOutput) end(new SiruError('CONTEXT', `${shown} lists more than ${mostOutput} bytes of refs`));
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-8192)));
  const cancelled = (): void => end(new SiruError('CANCELLED', 'cancelled', { cause: context.signal.reason }));
  context.signal.addEventListener('abort', cancelled, { once: true });
  const longest = call.longest ?? longestQuestion;
  const timer = setTimeout(() => end(new SiruError('NETWORK', `${shown} did not answer in ${longest / 1000} seconds`, { hint: 'Try again when the host is less busy.' })), longest);
  if (call.watch !== undefined) void watchSize(call.watch, stop.signal, (what) => end(new SiruError('CONTEXT', `${shown} has more than ${what}`, { hint: 'Larger repositories are not taken as a context.' })));
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (why) throw why;
    if (code !== 0) throw failure(shown, said, call.from === 'here');
    return Buffer.concat(output).toString('utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new SiruError('UNSUPPORTED', `${shown} needs the program git, which this machine has not`, { hint: 'Install git, or clone the repository elsewhere and name its directory.', cause: error });
  } finally {
    stop.abort();
    clearTimeout(timer);
    context.signal.removeEventListener('abort', cancelled);
  }
}

function environmentOf({ from = 'network', environment }: GitCall, access: GitAccess): Record<string, string> {
  const settings: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['core.attributesFile', '/dev/null'],
    ['core.excludesFile', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.autocrlf', 'false'],
    ['core.logAllRefUpdates', 'false'],
    ['core.askPass', ''],
    ['credential.helper', ''],
    ['advice.detachedHead', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['init.defaultBranch', 'master'],
    // More threads may pack the same objects in another way.
    ['pack.threads', '1'],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(patience)],
    // The folder may be of the user who called sudo.
    ['safe.directory', '*'],
  ];
  if (access.authorization !== undefined) {
    settings.push([`http.${access.scope}.extraHeader`, `Authorization: ${access.authorization}`]);
    // git sends such a header to wherever it is led.
    settings.push(['http.followRedirects', 'false']);
  }
  const agent = access.sshAgent;
  const ssh = ['ssh', '-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=accept-new', '-o', 'IdentityFile=none', '-o', `ConnectTimeout=${patience}`];
  // The Dockerfile of a stranger must not use the user's keys.
  if (agent === undefined) ssh.push('-o', 'IdentityAgent=none');
  return {
    ...inherited(),
    ...(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }),
    LC_ALL: 'C',
    // Neither .gitconfig nor the passwords of .netrc.
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: from === 'here' ? 'file' : 'http:https:git:ssh',
    GIT_PROTOCOL_FROM_USER: '1',
    GIT_SSH_COMMAND: ssh.join(' '),
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(settings.flatMap(([name, value], i) => [[`GIT_CONFIG_KEY_${i}`, name], [`GIT_CONFIG_VALUE_${i}`, value]])),
    ...environment,
  };
}

/** What of this process's environment git may know: where programs are, proxies, the authorities that the user trusts. */
const passed = /^(?:PATH|USER|LOGNAME|TMPDIR|SYSTEMROOT|TEMP|TMP|GIT_SSL_CAINFO|GIT_SSL_CAPATH|SSL_CERT_FILE|SSL_CERT_DIR|(?:https?|all|no)_proxy)$/i;

function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => passed.test(pair[0]) && pair[1] !== undefined));
}

/** Looks at a folder again and again while git fills it. */
async function watchSize(folder: string, stop: AbortSignal, tooLarge: (what: string) => void): Promise<void> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  let wait = 500;
  while (!stop.aborted) {
    await sleep(wait, undefined, { signal: stop, ref: false }).catch(() => {});
    if (stop.aborted) return;
    const began = Date.now();
    const excess = excessOf(folder);
    if (excess !== undefined) return tooLarge(excess);
    // Looking must not become the work itself.
    wait = Math.max(500, (Date.now() - began) * 20);
  }
}

/** What is too much in a folder, or undefined. */
export function excessOf(folder: string, most: { bytes: number; files: number } = { bytes: largestRepository, files: mostRepositoryFiles }): string | undefined {
  let bytes = 0;
  let files = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    let names: string[];
    try {
      names = readdirSync(next);
    } catch {
      continue; // git removed it meanwhile
    }
    for (const name of names) {
      const path = join(next, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (!stat) continue;
      files++;
      if (stat.isDirectory()) folders.push(path);
      else bytes += stat.size;
    }
    if (bytes > most.bytes) return `${most.bytes} bytes`;
    if (files > most.files) return `${most.files} files`;
  }
  return undefined;
}

/** The error that git's words mean. */
function failure(shown: string, said: string, here: boolean): SiruError {
  const words = cleaned(said);
  const text = `${shown}: git: ${words === '' ? 'ended without a word' : words}`;
  // No network has a part in what this program itself made.
  if (here) return new SiruError('CONTEXT', text);
  if (/Authentication failed|could not read (?:Username|Password)|Permission denied \(|returned error: 40[13]|Host key verification failed/.test(said)) {
    return new SiruError('AUTH', text, {
      hint: 'Give a token with --secret id=GIT_AUTH_TOKEN,env=NAME, a whole header with id=GIT_AUTH_HEADER, or for ssh an agent with --ssh default.',
    });
  }
  if (/unable to update url base from redirection|redirect/i.test(said)) {
    return new SiruError('CONTEXT', text, { hint: 'The server leads elsewhere, where credentials are not sent: give the address where the repository is now.' });
  }
  if (/Could not resolve host|Failed to connect|Connection (?:refused|timed out|reset)|unable to (?:connect|look up)|Operation too slow|SSL|early EOF|hung up|returned error: 5\d\d/i.test(said)) {
    return new SiruError('NETWORK', text, { hint: 'Is the address right, and is the host up?' });
  }
  if (/not found|does not (?:appear to be|exist)|not a git repository|no such/i.test(said)) return new SiruError('CONTEXT', text, { hint: 'Is the address right? Of a private repository hosts say that it is not there.' });
  return new SiruError('CONTEXT', text);
}

/** The last lines, without what moves a terminal's cursor and without secrets in addresses. */
function cleaned(said: string): string {
  const lines = said.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !/^(?:remote: )?(?:Counting|Compressing|Enumerating|Receiving|Resolving|hint:|warning:)/.test(line));
  return lines.slice(-4).map((line) => line.replace(/[a-zA-Z+]+:\/\/[^\s'"]+/g, printable).replace(/\p{Cc}/gu, '?')).join('; ').slice(0, 1000);
}
