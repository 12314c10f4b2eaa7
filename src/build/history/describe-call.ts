/** What the history says of a call of build(): enough to repeat it, and no secret. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildEntry, BuildRecipe } from '../../store/store.ts';
import { printable } from '../contexts/git-url.ts';
import type { BuildOptions } from '../options.ts';
import { isHttpSource } from '../plan/source-words.ts';

/** All that is known before anything is read. */
export function describeCall(options: BuildOptions): Pick<BuildEntry, 'project'> & Partial<BuildEntry> {
  const { context, target, platform, buildArgs, call } = options;
  const names = Object.keys(buildArgs ?? {});
  return {
    // An address may hold a password.
    project: printable(context),
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platforms: [platform].flat() }),
    ...(names.length > 0 && { arguments: names }),
    ...(call && { call }),
    recipe: recipeOf(options),
  };
}

function recipeOf({ context, dockerfile, dockerfileText, buildContexts, secrets, labels, network, allow, reproducible, locked, lockFile, sourceDateEpoch }: BuildOptions): BuildRecipe {
  const some = <T extends object>(value: T | undefined): value is T => value !== undefined && Object.keys(value).length > 0;
  return {
    ...(dockerfile !== undefined && { dockerfile: placeOf(dockerfile, context) }),
    ...(dockerfileText !== undefined && { text: true }),
    ...(some(buildContexts) && { contexts: Object.keys(buildContexts) }),
    ...(some(secrets) && { secrets: secrets.map(({ id }) => id) }),
    ...(some(labels) && { labels }),
    ...(network !== undefined && { network }),
    ...(some(allow) && { allow }),
    ...(reproducible && { reproducible }),
    ...(locked !== undefined && { locked }),
    ...(lockFile !== undefined && { lockFile: resolve(lockFile) }),
    ...(sourceDateEpoch !== undefined && { epoch: sourceDateEpoch }),
  };
}

/** With a directory as context it is a path from where the user is, else one inside the context. */
function placeOf(dockerfile: string, context: string): string {
  if (isHttpSource(dockerfile)) return printable(dockerfile);
  return existsSync(context) ? resolve(dockerfile) : dockerfile;
}
