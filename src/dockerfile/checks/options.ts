/** `# check=skip=A,B;error=true;experimental=C`: which checks a file wants. */
import { fault } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

export interface CheckOptions {
  /** Names of rules, or all of them. */
  skip: Set<string> | 'all';
  experimental: Set<string> | 'all';
  /** Findings make the build fail. */
  error: boolean;
}

/** Throws DOCKERFILE. */
export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };
  if (text.trim() === '') return options;
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, equals < 0 ? undefined : equals).trim();
    const value = part.slice(equals + 1).trim();
    if (equals < 0) throw fault(`invalid check option ${JSON.stringify(part.slice(0, 200))}`, 'Write # check=skip=RuleA,RuleB;error=true');
    switch (key) {
      case 'skip': case 'experimental':
        options[key] = value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));
        break;
      case 'error':
        if (!/^(?:1|t|true|0|f|false)$/i.test(value)) throw fault(`failed to parse check option ${JSON.stringify(part.slice(0, 200))}: error is true or false`);
        options.error = /^[1t]/i.test(value);
        break;
      default:
        throw fault(`invalid check option ${JSON.stringify(key.slice(0, 100))}${didYouMean(key, ['skip', 'error', 'experimental'])}`, 'The options are skip, error and experimental.');
    }
  }
  return options;
}

export function isSkipped(options: CheckOptions, rule: string): boolean {
  return options.skip === 'all' || options.skip.has(rule);
}
