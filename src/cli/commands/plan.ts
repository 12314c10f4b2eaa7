/** `siru plan` */
import type { Command } from 'commander';
import type { Event } from '../../base/events.ts';
import { refuseAttestations } from '../attestation-flags.ts';
import { refuseUnsupported, type BuildFlags } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { gatherOptions, oneContext } from '../gather-options.ts';
import { harmlessJson, harmlessText } from '../sanitize.ts';
import { addBuildFlags } from './build.ts';

interface Flags extends BuildFlags {
  pushTo?: string;
  json?: boolean;
}

/** The flags of a build on which it depends what is executed. The others are taken, so that a build's line can be pasted. */
const shown = new Set([
  '--tag', '--file', '--target', '--build-arg', '--no-cache', '--no-cache-filter', '--cache-from', '--pull', '--platform', '--network', '--push', '--build-context', '--add-host', '--secret', '--ssh', '--allow', '--ulimit', '--shm-size', '--cgroup-parent',
  '--locked', '--no-lock', '--lock-file', '--offline', '--revalidate',
  '--mirror', '--insecure-registry', '--help',
]);

export function configure(command: Command): void {
  addBuildFlags(command);
  for (const option of command.options) if (!shown.has(option.long ?? '')) option.hideHelp();
  command
    .option('--push-to <name>', 'Ask the registry which layers a push to this name would send')
    .option('--json', 'All of it as JSON')
    .addHelpText('after', `
Takes every flag of build. Nothing is executed, pulled or changed.

Examples:
  siru plan .
  siru plan -t app:1.0 --build-arg VERSION=1.0 .
  siru plan --push-to registry.example/app:1.0 .
  siru plan --json . | jq '.steps[] | select(.status != "hit")'`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  const context = oneContext('plan', operands);
  refuseUnsupported(flags);
  refuseAttestations(flags);
  const options = await gatherOptions(call, context, flags);
  const pushTo = flags.pushTo ?? (flags.push === true ? flags.tag[0] : undefined);
  const store = await call.storeToRead();
  const { forecastBuild } = await import('../../build/forecast/forecast-build.ts');
  const forecast = await forecastBuild({ ...options, store, signal: call.signal, onEvent: (event) => tellWarning(call, event), ...(pushTo === undefined ? {} : { pushTo }) });
  if (flags.json) return call.print(`${harmlessJson(JSON.stringify(forecast, undefined, 2))}\n`);
  const { planText } = await import('../plan-text.ts');
  call.print(planText(forecast));
}

function tellWarning(call: Call, event: Event): void {
  if (event.type === 'warning') call.tell(harmlessText(`warning: ${event.text}\n`));
}
