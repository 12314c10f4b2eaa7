/** `siru login` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { Call } from '../call.ts';
import { ask, readStandardInput } from '../prompt.ts';
import { addInsecureFlag, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  username?: string;
  password?: string;
  passwordStdin?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [SERVER]')
    .argument('[server]', 'host of the registry (default: Docker Hub)')
    .option('-u, --username <name>', 'User name')
    .option('-p, --password <password>', 'Password or token; better: --password-stdin')
    .option('--password-stdin', 'Read the password from standard input');
  addInsecureFlag(command);
  command.addHelpText('after', '\nExamples:\n  siru login registry.example:5000\n  echo "$TOKEN" | siru login -u ci --password-stdin registry.example:5000');
}

export async function run(call: Call, [server]: string[], flags: Flags): Promise<void> {
  if (flags.passwordStdin && flags.password !== undefined) throw new SiruError('USAGE', '--password and --password-stdin exclude each other');
  if (flags.passwordStdin && flags.username === undefined) throw new SiruError('USAGE', '--password-stdin needs --username');
  const { login, loggedInAs } = await import('../../images/login.ts');
  const registries = registryOptions(call, flags);
  if (flags.password !== undefined) call.tell('warning: a password on the command line can be seen by others; use --password-stdin\n');
  if (process.stdin.isTTY !== true && !flags.passwordStdin && flags.password === undefined) {
    throw new SiruError('USAGE', 'cannot ask for a password: standard input is no terminal', { hint: 'use --username and --password-stdin' });
  }
  let { username, password } = flags;
  if (username === undefined) {
    const known = await loggedInAs({ registry: server, registries }).catch(() => undefined);
    const usual = known === '<token>' ? undefined : known;
    username = (await ask(call, usual === undefined ? 'Username: ' : `Username (${usual}): `))?.trim() || usual;
    if (username === undefined) throw new SiruError('USAGE', 'no user name was given');
  }
  password ??= flags.passwordStdin ? (await readStandardInput(call)).replace(/\r?\n$/, '') : await ask(call, 'Password: ', true);
  if (password === undefined || password === '') throw new SiruError('USAGE', 'no password was given');
  const { registry, keptIn } = await login({ registry: server, username, password, registries }, call.context());
  call.print(`Login Succeeded\n`);
  call.tell(`The credentials for ${registry} are kept in ${keptIn}\n`);
}
