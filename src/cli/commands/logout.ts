/** `siru logout` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';

export function configure(command: Command): void {
  command.usage('[SERVER]').argument('[server]', 'host of the registry (default: Docker Hub)')
    .addHelpText('after', '\nExamples:\n  siru logout registry.example:5000');
}

export async function run(call: Call, [server]: string[]): Promise<void> {
  const { logout } = await import('../../images/login.ts');
  const { registry, removed } = await logout({ registry: server, registries: call.registries });
  call.print(removed ? `Removing login credentials for ${registry}\n` : `Not logged in to ${registry}\n`);
}
