/**
 * System calls that a process in a container may not make. All others are allowed: what Docker blocks on purpose is
 * blocked here (its documentation lists these), what it merely does not list is not.
 */

interface Rule {
  names: string[];
  action: 'SCMP_ACT_ERRNO';
  errnoRet: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}

export interface Seccomp {
  defaultAction: 'SCMP_ACT_ALLOW';
  architectures: string[];
  syscalls: Rule[];
}

const eperm = 1;
const enosys = 38;

/** Time, modules, kernel images, the kernel's log, keys of other users, mounts, namespaces, and doors into other processes' memory policy. */
const blocked = [
  'acct', 'add_key', 'bpf', 'clock_adjtime', 'clock_adjtime64', 'clock_settime', 'clock_settime64', 'create_module', 'delete_module',
  'finit_module', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'get_kernel_syms', 'get_mempolicy', 'init_module', 'io_uring_enter',
  'io_uring_register', 'io_uring_setup', 'ioperm', 'iopl', 'kcmp', 'kexec_file_load', 'kexec_load', 'keyctl', 'lookup_dcookie', 'mbind',
  'mount', 'mount_setattr', 'move_mount', 'move_pages', 'nfsservctl', 'open_by_handle_at', 'open_tree', 'open_tree_attr', 'perf_event_open', 'pivot_root',
  'query_module', 'quotactl', 'quotactl_fd', 'reboot', 'request_key', 'set_mempolicy', 'set_mempolicy_home_node', 'setns', 'settimeofday',
  'stime', 'swapoff', 'swapon', '_sysctl', 'sysfs', 'syslog', 'umount', 'umount2', 'unshare', 'uselib', 'userfaultfd', 'ustat', 'vhangup', 'vm86', 'vm86old',
];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const namespaceFlags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

const architectures: Partial<Record<NodeJS.Architecture, string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
  riscv64: ['SCMP_ARCH_RISCV64'],
};

/** The profile for this architecture. */
export function seccompProfile(architecture: NodeJS.Architecture): Seccomp {
  const deny = (names: string[], args?: Rule['args'], errnoRet = eperm): Rule => ({ names, action: 'SCMP_ACT_ERRNO', errnoRet, ...(args ? { args } : {}) });
  const rules: Rule[] = [
    deny(blocked),
    // Its flags lie in memory, where a filter cannot see them; libc falls back to clone.
    deny(['clone3'], undefined, enosys),
    // s390 has the arguments of clone the other way round.
    ...namespaceFlags.map((flag) => deny(['clone'], [{ index: architecture === 's390x' ? 1 : 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }])),
    deny(['socket'], [{ index: 0, value: 40, op: 'SCMP_CMP_EQ' }]), // AF_VSOCK, a way to the hypervisor
    ...['mknod', 'mknodat'].flatMap((name) => deviceRules(name === 'mknod' ? 1 : 2).map((args) => deny([name], args))),
  ];
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: architectures[architecture] ?? [], syscalls: rules };
}

const typeMask = 0o170000;
const charDevice = 0o020000;
const blockDevice = 0o060000;

/**
 * Which device nodes may not be made, as conditions on the arguments of mknod. A container here may have no cgroup that
 * says which devices may be opened, so nodes of disks, memory and consoles must not come to be. isHarmlessDevice says the
 * same of nodes that come out of layers.
 */
function deviceRules(modeIndex: number): NonNullable<Rule['args']>[] {
  const type = (value: number): NonNullable<Rule['args']>[number] => ({ index: modeIndex, value: typeMask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' });
  const device = modeIndex + 1;
  const major = (value: number): NonNullable<Rule['args']> => [type(charDevice), { index: device, value: 0xff00, valueTwo: value << 8, op: 'SCMP_CMP_MASKED_EQ' }];
  const exact = (value: number): NonNullable<Rule['args']> => [type(charDevice), { index: device, value, op: 'SCMP_CMP_EQ' }];
  return [
    [type(blockDevice)],
    [type(charDevice), { index: device, value: 0x5ff, op: 'SCMP_CMP_GT' }],
    ...[2, 3, 4].map(major),
    // mem, kmem, port, kmsg and the machine's console
    ...[0x101, 0x102, 0x104, 0x10b, 0x501].map(exact),
  ];
}

/** True for the nodes that the profile lets a process make: null, zero, full, random, urandom, tty, ptmx, whiteouts. */
export function isHarmlessDevice(type: string, major: number, minor: number): boolean {
  if (type !== 'char' || minor > 0xff) return false;
  return major === 0 || (major === 1 && ![1, 2, 4, 11].includes(minor)) || (major === 5 && minor !== 1);
}
