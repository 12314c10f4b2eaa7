/** `siru search` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { Call } from '../call.ts';
import { addInsecureFlag, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { countOf } from './ls.ts';

interface Flags extends RegistryFlags {
  limit?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] REGISTRY[/TERM]')
    .argument('<term>')
    .option('--limit <count>', 'No more repositories than this')
    .option('--json', 'One JSON object per repository');
  addInsecureFlag(command);
  command.addHelpText('after', `
Finds the repositories of a registry whose names contain TERM, or all of them.

Examples:
  siru search registry.example:5000
  siru search registry.example:5000/group/`);
}

export async function run(call: Call, [text]: string[], flags: Flags): Promise<void> {
  const slash = text!.indexOf('/');
  const domain = slash < 0 ? text! : text!.slice(0, slash);
  const term = slash < 0 ? '' : text!.slice(slash + 1).toLowerCase();
  if (!/[.:]/.test(domain) && domain !== 'localhost') {
    throw new SiruError('USAGE', `${text} names no registry`, { hint: `write the registry before it: siru search registry.example:5000/${text}; Docker Hub is searched on its web page` });
  }
  const { canonicalHost } = await import('../../remote/configuration.ts');
  const { createRemote } = await import('../../remote/client.ts');
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const limit = countOf(flags.limit);
  let found = 0;
  let more = false;
  for await (const path of remote.searchRepositories(canonicalHost(domain), term, call.context())) {
    if (found >= limit) {
      more = true;
      break;
    }
    found++;
    call.print(flags.json ? `${JSON.stringify({ Name: `${domain}/${path}` })}\n` : `${domain}/${path}\n`);
  }
  if (found === 0) call.tell(`No repository of ${domain} has ${JSON.stringify(term)} in its name.\n`);
  else if (more) call.tell(`There are more than ${limit}.\n`);
}
