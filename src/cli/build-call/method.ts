/** `--check`, `--call` and `--format`: what is asked of a Dockerfile instead of building it. */
import { SiruError } from '../../base/errors.ts';
import { nearest } from '../../dockerfile/suggest.ts';

export interface BuildCall {
  method: 'check' | 'outline' | 'targets' | 'subrequests.describe';
  format: 'text' | 'json' | 'sarif';
  /** Exit with 0 whatever was found. */
  ignoreStatus: boolean;
}

export interface CallFlags {
  check?: boolean;
  call?: string;
  format?: string;
}

export const methods: readonly string[] = ['build', 'check', 'outline', 'targets', 'subrequests.describe'];
const formats = ['text', 'json', 'sarif'] as const;

/** undefined when the image is to be built. Throws USAGE. */
export function buildCall({ check, call, format }: CallFlags): BuildCall | undefined {
  if (check && call !== undefined && !/^check\b/.test(call)) throw new SiruError('USAGE', `--check and --call=${call} ask for different things`, { hint: '--check means --call=check; leave one out' });
  const [name = '', ...keys] = (call ?? (check ? 'check' : 'build')).split(',').map((part) => part.trim());
  // Older clients say so.
  const method = name === 'lint' ? 'check' : name;
  if (!methods.includes(method)) throw unknown(`--call ${name}`, 'method', name, methods);
  const options = new Map<string, string>(format === undefined ? [] : [['format', format]]);
  for (const key of keys) {
    const equals = key.indexOf('=');
    const option = equals < 0 ? key : key.slice(0, equals);
    if (option !== 'format' && option !== 'ignorestatus') throw unknown(`--call ${call}`, 'key', option, ['format', 'ignorestatus']);
    options.set(option, equals < 0 ? 'true' : key.slice(equals + 1));
  }
  if (method === 'build') {
    if (options.size > 0) throw new SiruError('USAGE', 'a format is for --check and --call', { hint: 'for example: siru build --check --format json .' });
    return undefined;
  }
  const chosen = options.get('format') ?? 'text';
  if (!(formats as readonly string[]).includes(chosen)) throw unknown(`--format ${chosen}`, 'format', chosen, formats);
  if (chosen === 'sarif' && method !== 'check') throw new SiruError('USAGE', `--call ${method} has no sarif format`, { hint: 'SARIF is for what checks find: --check --format sarif' });
  const ignore = options.get('ignorestatus') ?? 'false';
  if (!/^(?:1|t|true|0|f|false)$/i.test(ignore)) throw new SiruError('USAGE', `--call ${call}: ignorestatus is true or false`);
  return { method: method as BuildCall['method'], format: chosen as BuildCall['format'], ignoreStatus: /^[1t]/i.test(ignore) };
}

function unknown(where: string, what: string, word: string, known: readonly string[]): SiruError {
  const near = nearest(word, known);
  return new SiruError('USAGE', `${where}: unknown ${what} ${JSON.stringify(word)}`, { hint: `${near === undefined ? '' : `Did you mean ${near}? `}Known: ${known.join(', ')}.` });
}
