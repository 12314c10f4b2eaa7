/** The process of a container, from the image's configuration and what the caller says. Pure; docker's rules. */
import { SiruError } from '../base/errors.ts';
import type { ContainerConfig } from '../oci/image-config.ts';
import type { Mount, ProcessSpec } from '../runtime/executor.ts';
import type { RunMount, RunOptions } from './options.ts';

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type SpecOptions = Omit<RunOptions, 'store' | 'image'>;

/** Throws USAGE when there is nothing to execute, or a path is not absolute. */
export function processSpec(config: ContainerConfig, options: SpecOptions, id: string): ProcessSpec {
  const hostname = options.hostname ?? id.slice(0, 12);
  const cwd = options.workdir ?? (config.WorkingDir || '/');
  if (!cwd.startsWith('/')) {
    throw new SiruError('USAGE', `the working directory ${JSON.stringify(cwd)} is not an absolute path`);
  }
  const spec: ProcessSpec = {
    args: commandOf(config, options),
    env: environmentOf(config.Env ?? [], options, hostname),
    cwd,
    user: { name: options.user ?? config.User ?? '' },
    hostname,
    mounts: [
      { type: 'file', target: '/etc/hostname', bytes: Buffer.from(`${hostname}\n`).toString('base64'), mode: 0o644, uid: 0, gid: 0 },
      ...(options.mounts ?? []).map(mountOf),
    ],
    network: options.network ?? 'host',
  };
  if (options.readonlyRoot) spec.readonlyRoot = true;
  if (options.init) spec.init = true;
  if (options.addHosts) spec.hosts = options.addHosts.map(([name, address]) => [address, name]);
  const { memory, cpus } = options;
  if (memory !== undefined || cpus !== undefined) {
    spec.limits = { ...(memory === undefined ? {} : { memory }), ...(cpus === undefined ? {} : { cpus }) };
  }
  return spec;
}

/** An entrypoint of the caller's own makes the image's CMD meaningless. */
function commandOf(config: ContainerConfig, { entrypoint, args = [] }: SpecOptions): string[] {
  const first = entrypoint === undefined ? (config.Entrypoint ?? []) : entrypoint === '' ? [] : [entrypoint];
  const rest = args.length > 0 || entrypoint !== undefined ? args : (config.Cmd ?? []);
  const command = [...first, ...rest];
  if (command.length === 0 || command[0] === '') {
    throw new SiruError('USAGE', 'no command: the image has neither ENTRYPOINT nor CMD', { hint: 'Give one after the image: siru run IMAGE COMMAND' });
  }
  return command;
}

/** The image's variables keep their order; new ones follow. HOME is the runtime's to set, from the user's entry. */
function environmentOf(image: readonly string[], { env = [], tty }: SpecOptions, hostname: string): string[] {
  const variables = new Map<string, string | undefined>([['PATH', defaultPath], ['HOSTNAME', hostname]]);
  if (tty) variables.set('TERM', 'xterm');
  for (const line of image) {
    const equals = line.indexOf('=');
    if (equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  for (const [name, value] of env) variables.set(name, value);
  return [...variables].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

function mountOf(mount: RunMount): Mount {
  if (!mount.target.startsWith('/')) throw new SiruError('USAGE', `the mount point ${JSON.stringify(mount.target)} is not an absolute path`);
  if (/^\/+$/.test(mount.target)) throw new SiruError('USAGE', 'nothing can be mounted over the root');
  if (mount.type === 'tmpfs') return { ...mount, noexec: true };
  const { source, target, readonly = false } = mount;
  return { type: 'bind', source, target, readonly };
}
