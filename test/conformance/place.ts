/** The place of one build of a case: its folders, its web server, its command line. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Case, Files, Folders } from './case.ts';
import { writeFiles } from './files.ts';
import { serve } from './server.ts';

export interface Place extends AsyncDisposable {
  folders: Folders;
  /** Flags of the build, and what stands where the context is named. */
  args: string[];
  context: string;
  /** Texts that differ from run to run, and the placeholders that stand for them. */
  hidden: Map<string, string>;
}

/** The context's own folder has a name that was never used before: builders know contexts by it. */
export async function makePlace(test: Case, parent: string): Promise<Place> {
  const root = mkdtempSync(join(parent, 'case-'));
  const folders: Folders = { context: join(root, `context-${basename(root)}`), beside: join(root, 'beside'), served: join(root, 'served') };
  const server = test.served || JSON.stringify([test.dockerfile, test.args, test.contextArgument]).includes('{server}') ? await serve(folders.served) : undefined;
  const values = new Map([['{context}', folders.context], ['{beside}', folders.beside], ['{server}', server?.url ?? '']]);
  const replaced = (text: string): string => [...values].reduce((so, [name, value]) => so.replaceAll(name, value), text);
  mkdirSync(folders.served);
  writeFiles(folders.served, test.served ?? {});
  writeFiles(folders.beside, test.beside ?? {});
  const { dockerfile } = test;
  const own: Files = dockerfile === undefined ? {} : { Dockerfile: typeof dockerfile === 'string' ? dockerfile.replaceAll('{server}', server?.url ?? '{server}') : dockerfile };
  writeFiles(folders.context, { ...own, ...test.files });
  await test.prepare?.(folders);
  const hidden = new Map([...values].flatMap(([name, value]) => (value === '' ? [] : [[value, name] as const])));
  // git and host names are told without the scheme, too.
  if (server) hidden.set(server.url.replace('http://', ''), '{server}');
  return {
    folders,
    args: (test.args ?? []).map(replaced),
    context: replaced(test.contextArgument ?? '{context}'),
    hidden,
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
