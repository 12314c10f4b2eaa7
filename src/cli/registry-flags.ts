/** `--mirror` and `--insecure-registry`, which every command that speaks to registries has. */
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import { collect } from './arguments.ts';
import type { Call } from './call.ts';

export interface RegistryFlags {
  mirror?: string[];
  insecureRegistry: string[];
}

export function addRegistryFlags(command: Command): void {
  command.option('--mirror <host=mirror>', 'Ask this mirror first: docker.io=localhost:5000', collect, []);
  addInsecureFlag(command);
}

/** Alone for commands that speak to one registry and to no mirror of it. */
export function addInsecureFlag(command: Command): void {
  command.option('--insecure-registry <host>', 'Speak plain HTTP or unverified TLS to this host', collect, []);
}

/** What the flags say, over what the configuration file says. */
export function registryOptions(call: Call, flags: RegistryFlags): RegistryOptions {
  const mirrors: Record<string, string[]> = {};
  for (const text of flags.mirror ?? []) {
    const equals = text.indexOf('=');
    if (equals < 1 || equals === text.length - 1) {
      throw new SiruError('USAGE', `--mirror ${text}: not HOST=MIRROR`, { hint: 'for Docker Hub: --mirror docker.io=localhost:5000' });
    }
    (mirrors[text.slice(0, equals)] ??= []).push(text.slice(equals + 1));
  }
  return { ...call.registries, mirrors, insecure: flags.insecureRegistry };
}
