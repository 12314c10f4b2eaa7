/** `siru registry serve`. */
import { SiruError, messageOf } from '../../base/errors.ts';
import { defaultRegistryRoot } from '../../registry/default-root.ts';
import { serveRegistry } from '../../registry/serve.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';
import { requestLine } from './request-line.ts';

export async function serve(call: Call, flags: RegistryFlags): Promise<void> {
  const root = flags.root ?? defaultRegistryRoot();
  const log = flags.log ?? 'text';
  if (!['text', 'json', 'none'].includes(log)) throw new SiruError('USAGE', `--log ${log}: text, json or none`);
  const grace = Number(flags.grace ?? 30);
  if (!(grace >= 0 && grace <= 86_400)) throw new SiruError('USAGE', `--grace ${flags.grace}: not a number of seconds from 0 to 86400`);
  const cut = await serveRegistry({
    root,
    listen: flags.listen ?? '127.0.0.1:5000',
    signal: call.signal,
    grace: grace * 1000,
    onError: (error) => call.tell(`siru registry: ${messageOf(error)}\n`),
    onEvent: log === 'none' ? [] : [(event) => {
      if (event.type === 'request') call.tell(requestLine(event, log === 'json'));
    }],
    onListening: ({ address }) => {
      const host = address.replace(/^(?:0\.0\.0\.0|\[::\]|127\.0\.0\.1):/, 'localhost:');
      call.print(`Registry at http://${address}, content in ${root}\nPush to it:    siru tag app:1.0 ${host}/app:1.0 && siru push ${host}/app:1.0\nPull from it:  siru pull ${host}/app:1.0\n`);
    },
  });
  call.tell(cut === 0 ? 'siru registry: ended\n' : `siru registry: ended; ${cut} requests were cut\n`);
}
