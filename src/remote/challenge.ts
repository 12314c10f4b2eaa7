/** What a server asks for in WWW-Authenticate (RFC 9110, section 11.6.1). Pure. */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  scheme: string;
  /** Names in lower case. */
  parameters: Record<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;

/** All challenges of a header value, in order. What does not fit the grammar ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  const text = header.slice(0, 8192);
  let at = 0;
  const word = (): string | undefined => {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) return undefined;
    at = token.lastIndex;
    return match[0];
  };
  const skip = (set: string): void => {
    while (at < text.length && set.includes(text[at]!)) at++;
  };
  for (;;) {
    skip(' \t,');
    const name = word();
    if (name === undefined) return challenges;
    skip(' \t');
    if (text[at] !== '=' || challenges.length === 0) {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      continue;
    }
    at++;
    skip(' \t');
    let value = '';
    if (text[at] === '"') {
      at++;
      while (at < text.length && text[at] !== '"') {
        if (text[at] === '\\') at++;
        value += text[at++] ?? '';
      }
      at++;
    } else {
      value = word() ?? '';
    }
    challenges.at(-1)!.parameters[name.toLowerCase()] = value;
  }
}
