/** All that the flags of a build say of what is built, as options of the library: for every command that takes them. */
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from '../build/options.ts';
import { buildOptions, type BuildFlags } from './build-flags.ts';
import type { Call } from './call.ts';
import { contextOptions, offerAgent } from './context-flags.ts';
import { withDockerProxies } from './docker-proxies.ts';
import { readStandardInput, standardInput } from './prompt.ts';
import { registryOptions } from './registry-flags.ts';

/** Reads standard input where a flag or the context asks for it. Throws USAGE, CONTEXT, UNSUPPORTED. */
export async function gatherOptions(call: Call, context: string, flags: BuildFlags): Promise<Omit<BuildOptions, 'store'>> {
  const { environment } = call;
  offerAgent(context, flags, environment);
  const options: Omit<BuildOptions, 'store'> = { ...buildOptions(flags, context, environment), ...contextOptions(context, flags, () => standardInput(call)) };
  if (flags.file === '-') options.dockerfileText = await readStandardInput(call);
  options.registries = registryOptions(call, flags);
  options.buildArgs = withDockerProxies(options.buildArgs ?? {}, environment, options.registries.dockerConfig);
  return options;
}

/** The one operand of a command that takes a context. Throws USAGE. */
export function oneContext(command: string, operands: readonly string[]): string {
  const [context, ...more] = operands;
  if (context === undefined || more.length > 0) throw new SiruError('USAGE', `${command} takes one context: a directory, a URL or -`, { hint: `for the present directory: siru ${command} .` });
  return context;
}
