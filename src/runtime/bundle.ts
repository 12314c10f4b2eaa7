/** The OCI runtime specification (config.json) of one process in a tree. Pure. */
import type { ProcessSpec } from './executor.ts';
import { seccompProfile, type Seccomp } from './seccomp.ts';

/** A mount as the runtime specification writes it. */
export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface Surroundings {
  /** Absolute path of the mounted tree. */
  rootfs: string;
  userns: boolean;
  architecture: NodeJS.Architecture;
  user: { uid: number; gid: number; groups: number[] };
  /** Mounts of the request, in order. */
  mounts: OciMount[];
  /** Absolute paths of files for /etc; undefined ones are not mounted. */
  etc: { hosts?: string; resolv?: string };
  terminal: boolean;
  /** Of the terminal. */
  size?: { height: number; width: number };
  /** A static program that starts another and reaps: where it is, its name in /dev, and what comes before the process's arguments. */
  init?: { path: string; name: string; args: string[] };
  /** Where a cgroup is made, when limits are asked for and can be had. */
  cgroupsPath?: string;
  /** All capabilities that this process may give, for insecure processes. */
  allCapabilities: string[];
  /** Hard limit of open files of this process. */
  openFiles?: number;
}

export interface OciSpec {
  ociVersion: string;
  process: Record<string, unknown> & { args: string[]; env: string[] };
  root: { path: string; readonly: boolean };
  hostname: string;
  mounts: OciMount[];
  linux: { namespaces: { type: string }[]; seccomp?: Seccomp; resources?: Record<string, unknown> } & Record<string, unknown>;
}

/** What Docker gives a container. */
const defaultCapabilities = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETFCAP',
  'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE',
];

/** What tells of the machine, or changes it, and is not namespaced. */
const maskedPaths = [
  '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/sched_debug', '/proc/scsi',
  '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap', '/sys/firmware',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** More open files than this make programs slow that close all that they might have. */
const mostOpenFiles = 1048576;

export function createSpec(spec: ProcessSpec, around: Surroundings): OciSpec {
  const { insecure = false } = spec;
  const capabilities = insecure ? around.allCapabilities : defaultCapabilities;
  const process: OciSpec['process'] = {
    terminal: around.terminal,
    ...(around.size ? { consoleSize: around.size } : {}),
    user: { uid: around.user.uid, gid: around.user.gid, additionalGids: around.user.groups },
    args: around.init ? [`/dev/${around.init.name}`, ...around.init.args, ...spec.args] : spec.args,
    env: spec.env,
    cwd: spec.cwd,
    // An exec by another user than root drops all but the bounding set, so these need not depend on the user.
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges: spec.noNewPrivileges ?? false,
    rlimits: rlimits(spec, around.openFiles),
  };
  const linux: OciSpec['linux'] = { namespaces: namespaces(spec) };
  if (!insecure) Object.assign(linux, { seccomp: seccompProfile(around.architecture), maskedPaths, readonlyPaths });
  if (around.cgroupsPath !== undefined) Object.assign(linux, { cgroupsPath: around.cgroupsPath, resources: resources(spec) });
  return {
    ociVersion: '1.0.2',
    process,
    root: { path: around.rootfs, readonly: spec.readonlyRoot ?? false },
    hostname: spec.hostname,
    mounts: [...systemMounts(spec, around), ...around.mounts],
    linux,
  };
}

function namespaces(spec: ProcessSpec): { type: string }[] {
  const types = ['pid', 'mount', 'ipc', 'uts'];
  if (spec.network === 'none') types.push('network');
  return types.map((type) => ({ type }));
}

function systemMounts(spec: ProcessSpec, around: Surroundings): OciMount[] {
  const { insecure = false } = spec;
  const still = ['nosuid', 'noexec', 'nodev'];
  const access = insecure ? 'rw' : 'ro';
  // sysfs belongs to a network namespace: only who owns that may mount it.
  const ownSysfs = !around.userns || spec.network === 'none';
  // 'ro' is of the topmost mount alone: cgroups and the like that are mounted below need 'rro'.
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: still },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    ownSysfs
      ? { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...still, access] }
      : { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...still, access, ...(insecure ? [] : ['rro'])] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: still },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...still, 'mode=1777', `size=${spec.limits?.shm ?? 64 * 1024 * 1024}`] },
  ];
  if (around.cgroupsPath !== undefined) mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...still, 'relatime', access] });
  if (around.init) mounts.push({ destination: `/dev/${around.init.name}`, type: 'bind', source: around.init.path, options: ['bind', 'ro', 'nosuid', 'nodev'] });
  const { hosts, resolv } = around.etc;
  const options = ['bind', 'rprivate', 'nosuid', 'nodev', ...(spec.readonlyEtc ? ['noexec', 'ro'] : [])];
  if (hosts !== undefined) mounts.push({ destination: '/etc/hosts', type: 'bind', source: hosts, options });
  if (resolv !== undefined) mounts.push({ destination: '/etc/resolv.conf', type: 'bind', source: resolv, options });
  return mounts;
}

function rlimits(spec: ProcessSpec, openFiles: number | undefined): { type: string; soft: unknown; hard: unknown }[] {
  const limits = new Map<string, { soft: number; hard: number }>();
  if (openFiles !== undefined && openFiles > mostOpenFiles) limits.set('nofile', { soft: mostOpenFiles, hard: mostOpenFiles });
  for (const { name, soft, hard } of spec.ulimits ?? []) limits.set(name, { soft, hard });
  return [...limits].map(([name, { soft, hard }]) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft: limitValue(soft), hard: limitValue(hard) }));
}

/** "No limit" is the largest number of 64 bits, which a number of JavaScript is not exact enough for. */
function limitValue(value: number): unknown {
  return value < 0 ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('18446744073709551615') : value;
}

function resources(spec: ProcessSpec): Record<string, unknown> {
  const { memory, memorySwap, cpus, cpuShares, cpuPeriod, cpuQuota, cpusetCpus, cpusetMems, pids } = spec.limits ?? {};
  const found: Record<string, unknown> = {};
  // Docker lets as much again be swapped.
  if (memory !== undefined || memorySwap !== undefined) found['memory'] = defined({ limit: memory, swap: memorySwap ?? memory! * 2 });
  const cpu = defined({
    shares: cpuShares,
    period: cpuPeriod ?? (cpus === undefined ? undefined : 100_000),
    quota: cpuQuota ?? (cpus === undefined ? undefined : Math.round(cpus * 100_000)),
    cpus: cpusetCpus,
    mems: cpusetMems,
  });
  if (Object.keys(cpu).length > 0) found['cpu'] = cpu;
  if (pids !== undefined) found['pids'] = { limit: pids };
  return found;
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
