/** Docker's credential helpers: programs `docker-credential-NAME` that get, store and erase over their standard input. */
import { spawn } from 'node:child_process';
import { SiruError, errnoOf } from '../base/errors.ts';

export interface HelperSecret {
  username: string;
  secret: string;
}

const longest = 30_000;

/** The secret for a server address, or undefined when the helper has none. Throws AUTH when the helper cannot do its work. */
export async function helperGet(name: string, server: string): Promise<HelperSecret | undefined> {
  const { code, output } = await callHelper(name, 'get', server);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new SiruError('AUTH', `docker-credential-${name} get failed: ${firstLine(output)}`);
  }
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof Secret !== 'string' || Secret === '') return undefined;
    return { username: typeof Username === 'string' ? Username : '', secret: Secret };
  } catch {
    // Without the parser's words, which may quote the secret.
    throw new SiruError('AUTH', `docker-credential-${name} get answered no JSON`);
  }
}

export async function helperStore(name: string, server: string, { username, secret }: HelperSecret): Promise<void> {
  const { code, output } = await callHelper(name, 'store', JSON.stringify({ ServerURL: server, Username: username, Secret: secret }));
  if (code !== 0) throw new SiruError('AUTH', `docker-credential-${name} store failed: ${firstLine(output)}`);
}

export async function helperErase(name: string, server: string): Promise<void> {
  const { code, output } = await callHelper(name, 'erase', server);
  if (code !== 0 && !/credentials not found/i.test(output)) {
    throw new SiruError('AUTH', `docker-credential-${name} erase failed: ${firstLine(output)}`);
  }
}

function callHelper(name: string, verb: string, input: string): Promise<{ code: number; output: string }> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new SiruError('CONFIG', `not the name of a credential helper: ${JSON.stringify(name)}`);
  const program = `docker-credential-${name}`;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'pipe'], signal: AbortSignal.timeout(longest) });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(0, 65_536)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, 65_536)));
    child.on('error', (error) => {
      reject(
        errnoOf(error) === 'ENOENT'
          ? new SiruError('AUTH', `credential helper ${program} is not installed`, {
              cause: error,
              hint: `install ${program}, or remove "${name}" from credsStore and credHelpers in docker's config.json`,
            })
          : new SiruError('AUTH', `credential helper ${program} cannot be started: ${error.message}`, { cause: error }),
      );
    });
    // Helpers report their errors on standard output.
    child.on('close', (code) => resolve({ code: code ?? 1, output: output.trim() === '' ? complaint : output }));
    child.stdin.on('error', () => {}); // it may exit without reading
    child.stdin.end(input);
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.slice(0, 200) || 'no reason given';
}
