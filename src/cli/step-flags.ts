/** The flags of `siru build` that say how RUN steps are carried out: limits, agents, secrets, hosts. Pure but for looking at paths. */
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import type { BuildOptions, Secret, SecretGuard, SshAgent } from '../build/options.ts';
import { collect, fieldList, hiddenOption } from './arguments.ts';
import { parseBytes } from './units.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Limits = NonNullable<BuildOptions['limits']>;

export interface StepFlags {
  ulimit: string[];
  shmSize?: string;
  cgroupParent?: string;
  resource: string[];
  ssh: string[];
  secret: string[];
  secretGuard?: string;
  allowSecret: string[];
  allow: string[];
  addHost: string[];
  /** Of `--no-cache-filter`, as commander has it. */
  cacheFilter: string[];
}

/** docker's own flags for single resources, which `--resource` has all together. */
const resourceFlags: readonly (readonly [flag: string, resource: string])[] = [
  ['-m, --memory <bytes>', 'memory'],
  ['--memory-swap <bytes>', 'memory-swap'],
  ['-c, --cpu-shares <shares>', 'cpu-shares'],
  ['--cpu-period <microseconds>', 'cpu-period'],
  ['--cpu-quota <microseconds>', 'cpu-quota'],
  ['--cpuset-cpus <cpus>', 'cpuset-cpus'],
  ['--cpuset-mems <nodes>', 'cpuset-mems'],
];

export function addStepFlags(command: Command): void {
  command
    .option('--add-host <name:address>', 'Line for /etc/hosts of RUN', collect, [])
    .option('--secret <secret>', 'For RUN --mount=type=secret: id=token,src=FILE or id=token,env=NAME', collect, [])
    .option('--secret-guard <mode>', 'Values of secrets in the image: on (an error), strict (also of arguments and in logs) or off')
    .option('--allow-secret <name>', 'ID of a secret, or name of a variable, whose value may be in the image', collect, [])
    .option('--ssh <agent>', 'For RUN --mount=type=ssh: default, or id=SOCKET, or id=KEY,KEY', collect, [])
    .option('--allow <entitlement>', 'network.host or security.insecure', collect, [])
    .option('--no-cache-filter <stages>', 'Execute every step of these stages again', collect, [])
    .option('--ulimit <name=soft:hard>', 'Limit of RUN processes: nofile=1024:2048', collect, [])
    .option('--shm-size <bytes>', 'Size of /dev/shm in RUN (64m)')
    .option('--resource <name=value>', 'Limit of RUN containers: memory=512m, cpu-quota=50000', collect, [])
    .option('--cgroup-parent <path>', 'Above the control groups of RUN containers');
  for (const [flag, resource] of resourceFlags) {
    hiddenOption(command, flag, undefined, (value) => {
      command.setOptionValue('resource', [...(command.getOptionValue('resource') as string[]), `${resource}=${value}`]);
      return value;
    });
  }
}

export function stepOptions(flags: StepFlags, environment: Environment): Partial<BuildOptions> {
  const options: Partial<BuildOptions> = {
    addHosts: flags.addHost.map(parseHost),
    secrets: flags.secret.map((text) => parseSecret(text, environment)),
    allowedSecrets: flags.allowSecret.flatMap((text) => text.split(',')).filter((name) => name !== ''),
    ssh: parseAgents(flags.ssh, environment),
    allow: flags.allow.flatMap((text) => text.split(',')).map(parseEntitlement),
    noCacheFilter: flags.cacheFilter.flatMap((text) => text.split(',')).filter((name) => name !== ''),
    ulimits: [...new Map(flags.ulimit.map(parseUlimit).map((limit) => [limit.name, limit])).values()],
  };
  if (flags.secretGuard !== undefined) options.secretGuard = parseGuard(flags.secretGuard);
  if (flags.shmSize !== undefined) options.shmSize = sizeOf('--shm-size', flags.shmSize);
  if (flags.cgroupParent) options.cgroupParent = parseCgroupParent(flags.cgroupParent);
  if (flags.resource.length > 0) options.limits = parseResources(flags.resource);
  return options;
}

/** `name:address`, `name=address`; an IPv6 address may stand in brackets; `host-gateway` is this machine. */
export function parseHost(text: string): [string, string] {
  const found = /^([^:=\s]+)[:=](\S+)$/.exec(text);
  if (!found) throw new SiruError('USAGE', `--add-host ${text}: not NAME:ADDRESS`);
  const address = found[2]!.replace(/^\[(.*)\]$/, '$1');
  // RUN steps share this machine's network, so its loopback is the way to it.
  if (address === 'host-gateway') return [found[1]!, '127.0.0.1'];
  if (isIP(address) === 0) throw new SiruError('USAGE', `--add-host ${text}: not an address: ${address}`);
  return [found[1]!, address];
}

/** `id=token,src=path`, `id=token,env=NAME`; with the id alone, the environment variable or file of that name. */
export function parseSecret(text: string, environment: Environment): Secret {
  const bad = (why: string): SiruError => new SiruError('USAGE', `--secret ${text}: ${why}`, { hint: 'for example --secret id=token,src=token.txt or --secret id=token,env=TOKEN' });
  const fields = new Map<string, string>();
  for (const [key, value] of fieldList(text)) {
    if (value === undefined) throw bad(`${key} is no key=value pair`);
    if (!['id', 'src', 'source', 'env', 'type'].includes(key)) throw bad(`unknown key ${key}`);
    fields.set(key === 'source' ? 'src' : key, value);
  }
  const type = fields.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env') throw bad(`unknown type ${type}`);
  const id = fields.get('id');
  if (id === undefined || id === '') throw bad('it has no id');
  const source = fields.get('src');
  const env = fields.get('env') ?? (type === 'env' ? (source ?? id) : undefined);
  if (env !== undefined) return { id, env };
  if (source !== undefined) return { id, file: source };
  return type === undefined && environment[id] !== undefined ? { id, env: id } : { id, file: id };
}

function parseGuard(text: string): SecretGuard {
  const mode = (['on', 'strict', 'off'] as const).find((known) => known === text);
  if (!mode) throw new SiruError('USAGE', `--secret-guard ${text}: there are on, strict and off`);
  return mode;
}

/** `default`, `id`, `id=path,path`. */
export function parseAgents(list: readonly string[], environment: Environment): SshAgent[] {
  const agents = new Map<string, SshAgent>();
  for (const text of list) {
    const equals = text.indexOf('=');
    const id = (equals < 0 ? text : text.slice(0, equals)) || 'default';
    let paths = equals < 0 ? [] : text.slice(equals + 1).split(',').filter((path) => path !== '');
    if (paths.length === 0) {
      const socket = environment['SSH_AUTH_SOCK'];
      if (!socket) throw new SiruError('USAGE', `--ssh ${text}: there is no SSH agent: SSH_AUTH_SOCK is not set`, { hint: 'start one: eval $(ssh-agent) && ssh-add, or name a socket or a key: --ssh default=~/.ssh/id_ed25519' });
      paths = [socket];
    }
    if (agents.has(id)) throw new SiruError('USAGE', `--ssh ${text}: ${id} is there twice`);
    agents.set(id, { id, paths });
  }
  return [...agents.values()];
}

/** Throws USAGE for what no builder knows. Devices may be allowed; RUN --device itself is refused. */
function parseEntitlement(text: string): string {
  const name = text.trim();
  if (['network.host', 'security.insecure', 'device'].includes(name) || name.startsWith('device=') || name === 'buildx.local.delete') return name;
  throw new SiruError('USAGE', `--allow ${text}: unknown entitlement ${name}`, { hint: 'there are network.host and security.insecure' });
}

const ulimitNames = ['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'];

/** `name=soft[:hard]`; -1 is no limit. */
export function parseUlimit(text: string): NonNullable<BuildOptions['ulimits']>[number] {
  const bad = (why: string): SiruError => new SiruError('USAGE', `--ulimit ${text}: ${why}`, { hint: 'for example --ulimit nofile=1024:2048' });
  const equals = text.indexOf('=');
  if (equals < 0) throw bad('not NAME=SOFT[:HARD]');
  const name = text.slice(0, equals);
  if (!ulimitNames.includes(name)) throw bad(`there is no limit of the name ${name}; there are ${ulimitNames.join(', ')}`);
  const values = text.slice(equals + 1).split(':');
  if (values.length > 2 || !values.every((value) => /^(?:-1|\d{1,15})$/.test(value))) throw bad('a limit is a number, or two with a colon between; -1 is none');
  const soft = Number(values[0]);
  const hard = values[1] === undefined ? soft : Number(values[1]);
  if (hard !== -1 && (soft === -1 || soft > hard)) throw bad(`the soft limit is above the hard one: ${soft} > ${hard}`);
  return { name, soft, hard };
}

/** `name=value`, several with commas between, but for lists of processors, which have commas of their own. */
export function parseResources(list: readonly string[]): Limits {
  const limits: Limits = {};
  for (const text of list) {
    for (const part of text.split(/,(?=[a-z-]+=)/)) {
      const equals = part.indexOf('=');
      const value = part.slice(equals + 1);
      const name = equals < 0 ? part : part.slice(0, equals);
      const bad = (why: string): SiruError => new SiruError('USAGE', `--resource ${part}: ${why}`, { hint: `there are ${resourceFlags.map(([, known]) => known).join(', ')}` });
      const count = (): number => {
        if (!/^-?\d{1,15}$/.test(value)) throw bad(`not a number: ${value}`);
        return Number(value);
      };
      const cpus = (): string => {
        if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(value)) throw bad('not a list of numbers such as 0-2,7');
        return value;
      };
      if (name === 'memory') limits.memory = sizeOf('--memory', value);
      else if (name === 'memory-swap') limits.memorySwap = value === '-1' ? -1 : sizeOf('--memory-swap', value);
      else if (name === 'cpu-shares') limits.cpuShares = count();
      else if (name === 'cpu-period') limits.cpuPeriod = count();
      else if (name === 'cpu-quota') limits.cpuQuota = count();
      else if (name === 'cpuset-cpus') limits.cpusetCpus = cpus();
      else if (name === 'cpuset-mems') limits.cpusetMems = cpus();
      else throw bad(`unknown resource ${name}`);
    }
  }
  if (limits.memorySwap !== undefined && limits.memorySwap !== -1 && limits.memorySwap < (limits.memory ?? 0)) {
    throw new SiruError('USAGE', '--memory-swap is less than --memory', { hint: 'it is the sum of memory and swap' });
  }
  return limits;
}

/** A path below the root of control groups. */
function parseCgroupParent(text: string): string {
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  // The names become folders.
  if (names.length === 0 || names.includes('..') || text.length > 255 || text.includes('\0')) throw new SiruError('USAGE', `--cgroup-parent ${text}: not a path below the root of control groups`);
  return `/${names.join('/')}`;
}

function sizeOf(flag: string, text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes > Number.MAX_SAFE_INTEGER) throw new SiruError('USAGE', `${flag} ${text}: not a size`, { hint: `for example ${flag} 512m` });
  return bytes;
}
