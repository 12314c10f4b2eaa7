/** Whether this machine executes programs of another architecture: natively, or through an emulator that the kernel knows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { SiruError, errnoOf } from '../base/errors.ts';
import { formatPlatform, hostPlatform, type Platform } from '../oci/platform.ts';
import { tinyProgram } from './tiny-program.ts';

const registrations = '/proc/sys/fs/binfmt_misc';

/**
 * Throws RUNTIME, with what to install, when programs of the platform cannot be executed. It is tried with a program of a few
 * bytes at the path `file`, which is removed again. Gives a sentence when it may fail all the same inside of a container.
 */
export async function checkRunnable(platform: Platform, file: string, context: Context): Promise<string | undefined> {
  const host = hostPlatform();
  if (platform.os === host.os && platform.architecture === host.architecture) return undefined;
  const program = platform.os === 'linux' ? tinyProgram(platform.architecture) : undefined;
  const emulator = program && findEmulator(program);
  const works = program !== undefined && (await runs(program, file, context));
  if (works) {
    if (!emulator || emulator.flags.includes('F')) return undefined;
    return `${emulator.interpreter} runs programs for ${formatPlatform(platform)}, and is looked for inside of each container, because it is registered without the flag F`;
  }
  throw new SiruError('RUNTIME', `programs for ${formatPlatform(platform)} cannot be executed on this machine, which is ${formatPlatform(host)}`, {
    hint: platform.os === 'linux' ? howTo(emulator?.enabled === false) : 'Only Linux containers can run.',
  });
}

function howTo(disabled: boolean): string {
  const emulation = disabled
    ? 'An emulator is registered but switched off: as root, echo 1 > /proc/sys/fs/binfmt_misc/status.'
    : "Let the kernel know an emulator: as root, on the machine itself, apt-get install qemu-user-static binfmt-support (Debian, Ubuntu) or dnf install qemu-user-static (Fedora); in a container, ask who runs the machine.";
  return `${emulation} Or execute the step on this machine and copy its result: FROM --platform=$BUILDPLATFORM.`;
}

async function runs(program: Buffer, file: string, { signal }: Context): Promise<boolean> {
  writeFileSync(file, program, { mode: 0o700, flag: 'wx' });
  try {
    const child = spawn(file, [], { stdio: 'ignore', signal });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch (error) {
    if (signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
    // On a file system without programs nothing is learnt; the step itself will tell.
    if (errnoOf(error) === 'EACCES') return true;
    return false;
  } finally {
    rmSync(file, { force: true });
  }
}

interface Emulator {
  interpreter: string;
  flags: string;
  enabled: boolean;
}

/** The registration whose pattern the program has, as far as this process can see registrations. */
function findEmulator(program: Buffer): Emulator | undefined {
  let names: string[];
  try {
    names = readdirSync(registrations).filter((name) => name !== 'register' && name !== 'status');
  } catch {
    return undefined;
  }
  const all = text(join(registrations, 'status')).trim() !== 'disabled';
  for (const name of names) {
    const registration = parseRegistration(text(join(registrations, name)));
    if (registration && matches(registration, program)) return { ...registration, enabled: all && registration.enabled };
  }
  return undefined;
}

interface Registration extends Emulator {
  offset: number;
  magic: Buffer;
  mask?: Buffer;
}

/** The kernel's text of a registration; undefined for what is no pattern of bytes. */
export function parseRegistration(written: string): Registration | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}[: ]+(.*)$`, 'm').exec(written)?.[1];
  const [interpreter, magic] = [field('interpreter'), field('magic')];
  if (interpreter === undefined || magic === undefined) return undefined;
  const mask = field('mask');
  return {
    interpreter,
    flags: field('flags') ?? '',
    enabled: /^enabled$/m.test(written),
    offset: Number(field('offset') ?? 0),
    magic: Buffer.from(magic, 'hex'),
    ...(mask === undefined ? {} : { mask: Buffer.from(mask, 'hex') }),
  };
}

function matches({ offset, magic, mask }: Registration, program: Buffer): boolean {
  return magic.every((byte, i) => {
    const bits = mask?.[i] ?? 0xff;
    return (byte & bits) === ((program[offset + i] ?? 0) & bits);
  });
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
