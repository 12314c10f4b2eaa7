/** `siru registry serve` and `siru registry check`: the configuration file, with the flags before it. */
import { resolve } from 'node:path';
import { SiruError } from '../../base/errors.ts';
import { parseDuration } from '../../base/parse-units.ts';
import type { Configuration } from '../../registry/config/configuration.ts';
import { serveRegistry } from '../../registry/serve.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';
import { createLog } from './log.ts';

export async function serve(call: Call, flags: RegistryFlags): Promise<void> {
  const configuration = await configurationOf(flags);
  const log = createLog({ form: configuration.log, slow: configuration.slow, write: (line) => call.tell(line) });
  const cut = await serveRegistry({
    configuration,
    signal: call.signal,
    onError: log.error,
    onEvent: [log.event],
    onListening: ({ address, root, secure, metrics }) => {
      const host = address.replace(/^(?:0\.0\.0\.0|\[::\]|127\.0\.0\.1):/, 'localhost:');
      log.note('listening', { address, root, secure, ...(metrics !== undefined && { metrics }) });
      if (configuration.access === undefined && !/^(?:127\.|\[::1\])/.test(address)) log.note('warning: whoever reaches this address may push and delete; access in the configuration says who may do what', { address });
      call.print(`Registry at ${secure ? 'https' : 'http'}://${address}, content in ${root}\nPush to it:    siru tag app:1.0 ${host}/app:1.0 && siru push ${host}/app:1.0\nPull from it:  siru pull ${host}/app:1.0\n`);
    },
  });
  call.acceptSignal();
  log.note(cut === 0 ? 'ended' : `ended; ${cut} requests were cut`, { cut });
}

export async function check(call: Call, flags: RegistryFlags): Promise<void> {
  if (flags.config === undefined) throw new SiruError('USAGE', 'registry check needs a file', { hint: 'siru registry check --config FILE' });
  const { access, tls } = await configurationOf(flags);
  if (tls) (await import('../../registry/tls-files.ts')).readTlsFiles(tls);
  if (access?.users !== undefined) (await import('../../registry/access/edit-passwords.ts')).readUsers(access.users);
  call.print(`${flags.config} is good\n`);
}

export async function configurationOf(flags: RegistryFlags): Promise<Configuration> {
  const configuration: Configuration = flags.config === undefined
    ? {}
    : (await import('../../registry/config/read-configuration.ts')).readConfiguration(flags.config);
  if (flags.root !== undefined) configuration.root = resolve(flags.root);
  if (flags.listen !== undefined) configuration.listen = flags.listen;
  if (flags.log !== undefined) configuration.log = logOf(flags.log);
  if (flags.grace !== undefined) configuration.grace = graceOf(flags.grace);
  return configuration;
}

function logOf(text: string): NonNullable<Configuration['log']> {
  if (text === 'text' || text === 'json' || text === 'none') return text;
  throw new SiruError('USAGE', `--log ${text}: text, json or none`);
}

function graceOf(text: string): number {
  const time = parseDuration(text);
  if (time === undefined) throw new SiruError('USAGE', `--grace ${text}: not a duration like 30s or 5m`);
  return time;
}
