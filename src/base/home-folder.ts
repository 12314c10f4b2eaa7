/** Where a user's own files are. */
import { homedir, userInfo } from 'node:os';

/** HOME, else what the system says of this user, else the root, as for container runtimes. HOME may be empty, and a number that nobody has a name for may have no home. */
export function homeFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  if (environment['HOME']) return environment['HOME'];
  for (const ask of [homedir, () => userInfo().homedir]) {
    try {
      const home = ask();
      if (home !== '') return home;
    } catch {
      // The user is in no list.
    }
  }
  return '/';
}
