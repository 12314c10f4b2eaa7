/** Where the files of a build come from: the operand of `siru build`, `-f` and `--build-context`, as options of the library. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import { parseContext, parseNamedContext } from '../build/contexts/spec.ts';
import type { BuildOptions } from '../build/options.ts';
import { normaliseContexts } from '../build/plan/context-name.ts';
import { collect } from './arguments.ts';

export interface ContextFlags {
  file?: string;
  buildContext: string[];
}

export function addContextFlags(command: Command): void {
  command.option('--build-context <name=context>', 'Further context: a directory, URL or repository, docker-image://NAME, oci-layout://PATH', collect, []);
}

/** `input` is opened for what comes on standard input. Throws USAGE, CONTEXT, UNSUPPORTED before anything is fetched. */
export function contextOptions(context: string, flags: ContextFlags, input: () => AsyncIterable<Uint8Array>): Pick<BuildOptions, 'buildContexts' | 'contextStream'> {
  const options: ReturnType<typeof contextOptions> = {};
  if (context === '-') {
    if (flags.file === '-') throw new SiruError('USAGE', 'standard input cannot be both the context and the Dockerfile', { hint: 'Put the Dockerfile into the context, or name a file with -f.' });
    options.contextStream = input();
  }
  if (flags.buildContext.length === 0) return options;
  const contexts: Record<string, string> = {};
  for (const text of flags.buildContext) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new SiruError('USAGE', `--build-context ${text}: not NAME=CONTEXT`, { hint: 'for example --build-context shared=../shared' });
    const name = text.slice(0, equals);
    contexts[name] = text.slice(equals + 1);
    parseNamedContext(name, contexts[name]);
  }
  normaliseContexts(contexts);
  return { ...options, buildContexts: contexts };
}

/** A context that is fetched by ssh is offered the user's agent, as docker's client does, unless --ssh says otherwise. */
export function offerAgent(context: string, flags: Record<string, unknown>, environment: Readonly<Record<string, string | undefined>>): void {
  if (!Array.isArray(flags.ssh) || flags.ssh.length > 0 || !environment.SSH_AUTH_SOCK) return;
  const spec = parseContext(context, (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
  if (spec.type === 'git' && spec.git.scheme === 'ssh') flags.ssh = ['default'];
}
