/** Tags that neither move nor go. */
import type { ImmutableConfiguration } from './configuration.ts';
import { fits, parsePattern } from './pattern.ts';

/** Undefined when there are none. */
export function createImmutable(configured: readonly ImmutableConfiguration[] | undefined): ((repository: string, tag: string) => boolean) | undefined {
  if (configured === undefined || configured.length === 0) return undefined;
  const rules = configured.map(({ repositories, tags }) => ({
    repositories: repositories.map(parsePattern),
    tags: tags.filter((text) => !text.startsWith('!')).map(parsePattern),
    except: tags.filter((text) => text.startsWith('!')).map((text) => parsePattern(text.slice(1))),
  }));
  return (repository, tag) => rules.some(({ repositories, tags, except }) =>
    repositories.some((pattern) => fits(pattern, repository)) && tags.some((pattern) => fits(pattern, tag)) && !except.some((pattern) => fits(pattern, tag)));
}
