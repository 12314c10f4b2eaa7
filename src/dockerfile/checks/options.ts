/** `# check=skip=A,B;error=true;experimental=C`: which checks a file wants. */
import { fault, parsePrefix, withPlace } from '../errors.ts';
import type { Dockerfile } from '../instruction.ts';
import { didYouMean } from '../suggest.ts';

export interface CheckOptions {
  /** Names of rules, or all of them. */
  skip: Set<string> | 'all';
  experimental: Set<string> | 'all';
  /** Findings make the build fail. */
  error: boolean;
}

/** More parts than these are taken for a part of the last one. */
const maxParts = 3;

/** Throws DOCKERFILE. */
export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };
  if (text.trim() === '') return options;
  const parts = text.split(';');
  for (const part of [...parts.slice(0, maxParts - 1), ...(parts.length < maxParts ? [] : [parts.slice(maxParts - 1).join(';')])]) {
    const equals = part.indexOf('=');
    const key = part.slice(0, equals < 0 ? undefined : equals).trim();
    const value = part.slice(equals + 1).trim();
    if (equals < 0) throw fault(`invalid check option ${JSON.stringify(part.slice(0, 200))}`, 'Write # check=skip=RuleA,RuleB;error=true');
    switch (key) {
      case 'skip': case 'experimental':
        options[key] = value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));
        break;
      case 'error':
        if (!/^(?:1|t|T|true|True|TRUE|0|f|F|false|False|FALSE)$/.test(value)) throw fault(`failed to parse check option ${JSON.stringify(part.slice(0, 200))}: error is true or false`);
        options.error = /^[1t]/i.test(value);
        break;
      default:
        throw fault(`invalid check option ${JSON.stringify(key.slice(0, 100))}${didYouMean(key, ['skip', 'error', 'experimental'])}`, 'The options are skip, error and experimental.');
    }
  }
  return options;
}

/**
 * The options for a file: those of the build argument when it is given, empty or not, else those of the directive at the
 * head of the file. Throws DOCKERFILE for what makes no sense.
 */
export function checkOptionsFor(dockerfile: Pick<Dockerfile, 'directives' | 'name' | 'text'>, buildArgs: Readonly<Record<string, string>> = {}): CheckOptions {
  const argument = Object.hasOwn(buildArgs, 'BUILDKIT_DOCKERFILE_CHECK') ? buildArgs.BUILDKIT_DOCKERFILE_CHECK! : undefined;
  if (argument !== undefined) {
    try {
      return parseCheckOptions(argument);
    } catch (error) {
      throw fault(`failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK: ${(error as Error).message}`, 'It is written like the directive: --build-arg "BUILDKIT_DOCKERFILE_CHECK=skip=RuleA,RuleB;error=true"');
    }
  }
  const directive = dockerfile.directives.find(({ name }) => name === 'check');
  if (!directive) return parseCheckOptions('');
  try {
    return parseCheckOptions(firstWord(directive.value));
  } catch (error) {
    const lines = { start: directive.line, end: directive.line };
    throw withPlace(error, dockerfile, lines, parsePrefix(lines));
  }
}

/** The options in a comment `check=...`, without its `#`; undefined for another comment. */
export function checkComment(comment: string): string | undefined {
  const value = /^check\s*=(.*)$/is.exec(comment)?.[1];
  return value === undefined ? undefined : firstWord(value.trim());
}

/** As BuildKit reads a directive: what follows a space is no part of it. */
function firstWord(value: string): string {
  return value.split(' ', 1)[0]!;
}

/** False for a rule that the options leave out, and for an experimental one that they do not ask for. */
export function isWanted(options: Pick<CheckOptions, 'skip' | 'experimental'>, { name, experimental }: { name: string; experimental?: boolean }): boolean {
  if (experimental) return options.experimental === 'all' || options.experimental.has(name);
  return options.skip !== 'all' && !options.skip.has(name);
}
