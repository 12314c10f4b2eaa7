/** `siru registry user add|rm|ls`: the password file of a registry. */
import { resolve } from 'node:path';
import { SiruError } from '../../base/errors.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';

export async function user(call: Call, [verb, name, ...more]: string[], flags: RegistryFlags): Promise<void> {
  const { listUsers, removeUser, setPassword } = await import('../../registry/access/edit-passwords.ts');
  const usage = (message: string): SiruError => new SiruError('USAGE', message, { hint: 'siru registry user add NAME, rm NAME or ls; see siru registry --help' });
  if (more.length > 0) throw usage('registry user takes one name');
  if (verb === 'ls') {
    if (name !== undefined) throw usage('registry user ls takes no name');
    for (const one of listUsers(await fileOf(flags))) call.print(`${one}\n`);
    return;
  }
  if (verb !== 'add' && verb !== 'rm') throw usage(verb === undefined ? 'registry user what?' : `registry user ${verb}: no such command`);
  if (name === undefined) throw usage(`registry user ${verb} needs a name`);
  const file = await fileOf(flags);
  if (verb === 'rm') {
    if (!removeUser(file, name)) throw new SiruError('NOT_FOUND', `${file} has no user ${name}`);
    call.print(`${name} is removed from ${file}\n`);
    return;
  }
  const changed = await setPassword(file, name, await passwordOf(call, flags));
  call.print(changed ? `${name} has a new password in ${file}\n` : `${name} is added to ${file}\n`);
}

async function fileOf(flags: RegistryFlags): Promise<string> {
  if (flags.users !== undefined) return resolve(flags.users);
  const configured = flags.config === undefined ? undefined : (await import('../../registry/config/read-configuration.ts')).readConfiguration(flags.config).access?.users;
  if (configured === undefined) throw new SiruError('USAGE', 'registry user needs a password file', { hint: 'name it with --users FILE, or a configuration that has access.users with --config FILE' });
  return configured;
}

async function passwordOf(call: Call, flags: RegistryFlags): Promise<string> {
  const { ask, readStandardInput } = await import('../prompt.ts');
  if (flags.passwordStdin) return (await readStandardInput(call)).replace(/\r?\n$/, '');
  if (process.stdin.isTTY !== true) throw new SiruError('USAGE', 'cannot ask for a password: standard input is no terminal', { hint: 'use --password-stdin' });
  const password = await ask(call, 'Password: ', true);
  if (password !== await ask(call, 'Once more: ', true)) throw new SiruError('USAGE', 'the two passwords differ');
  return password ?? '';
}
