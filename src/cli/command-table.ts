/** Every command: what it is called, where it stands in the help, and which module carries it out. */
import type { Command } from 'commander';
import type { Call } from './call.ts';

export interface CommandModule {
  /** Adds arguments, options and help to the command. `path` is how it was called: `['image', 'ls']`. */
  configure(command: Command, path: string[]): void;
  /** Gives the exit code, 0 when it gives none. */
  run(call: Call, operands: string[], flags: never): Promise<number | void>;
  /** Options of the command itself end at the first operand: `siru run IMAGE ls -la`. */
  passThrough?: boolean;
  /** Exit code for errors; 1 when not given. */
  failure?: number;
  /** Words after `--` are not operands but a command: see Call.rest. */
  takesCommand?: boolean;
}

export interface CommandEntry {
  summary: string;
  load: () => Promise<CommandModule>;
}

const entry = (summary: string, load: () => Promise<CommandModule>): CommandEntry => ({ summary, load });

export const commands: Record<string, CommandEntry> = {
  build: entry('Build an image from a Dockerfile', () => import('./commands/build.ts')),
  plan: entry('Show what a build would execute, pull and push', () => import('./commands/plan.ts')),
  'context ls': entry('Show what a build context holds, and who takes what of it', () => import('./commands/context-ls.ts')),
  lock: entry('Write which images, files and commits a build takes', () => import('./commands/lock.ts')),
  run: entry('Run a command in a new container', () => import('./commands/run.ts')),
  ps: entry('List containers', () => import('./commands/ps.ts')),
  rm: entry('Remove containers', () => import('./commands/rm.ts')),
  images: entry('List images', () => import('./commands/images.ts')),
  history: entry('Show the history of an image', () => import('./commands/history.ts')),
  inspect: entry('Show all that is known of images, as JSON', () => import('./commands/inspect.ts')),
  layers: entry('Show what each layer of an image did, and what is wasted', () => import('./commands/layers.ts')),
  files: entry('Show the files of an image and which step wrote each', () => import('./commands/files.ts')),
  diff: entry('Show what differs between two images or layers', () => import('./commands/diff.ts')),
  verify: entry('Build again without the cache, and tell what differs', () => import('./commands/verify.ts')),
  tag: entry('Give an image another name', () => import('./commands/tag.ts')),
  rmi: entry('Remove images', () => import('./commands/rmi.ts')),
  pull: entry('Bring an image from a registry', () => import('./commands/pull.ts')),
  push: entry('Bring an image to a registry', () => import('./commands/push.ts')),
  copy: entry('Copy images between registries, layouts, archives and the store', () => import('./commands/copy.ts')),
  'index create': entry('Make an index of images', () => import('./commands/index-create.ts')),
  'index inspect': entry('Show what an index lists', () => import('./commands/index-inspect.ts')),
  'index annotate': entry('Change what an index says of itself and of its images', () => import('./commands/index-annotate.ts')),
  referrers: entry('List what refers to an image: signatures, SBOMs and other artifacts', () => import('./commands/referrers.ts')),
  attach: entry('Attach files to an image in a registry', () => import('./commands/attach.ts')),
  ls: entry('List the tags of a repository in a registry', () => import('./commands/ls.ts')),
  search: entry('Search the repositories of a registry', () => import('./commands/search.ts')),
  outdated: entry('Show what the tags of images have moved to', () => import('./commands/outdated.ts')),
  login: entry('Log in to a registry', () => import('./commands/login.ts')),
  logout: entry('Log out from a registry', () => import('./commands/logout.ts')),
  save: entry('Write images into a tar archive', () => import('./commands/save.ts')),
  load: entry('Read images from a tar archive', () => import('./commands/load.ts')),
  import: entry('Make an image of the files of a tar archive', () => import('./commands/import.ts')),
  explain: entry('Show why each step of a build was or was not executed', () => import('./commands/explain.ts')),
  builds: entry('List, show, compare and remove builds of the history', () => import('./commands/builds.ts')),
  logs: entry('Show what a step of a build wrote', () => import('./commands/logs.ts')),
  shell: entry('Open a shell in a step of a build, as the step saw it', () => import('./commands/shell.ts')),
  registry: entry('Serve a registry', () => import('./commands/registry.ts')),
  prune: entry('Remove what nothing needs', () => import('./commands/prune.ts')),
  du: entry('Show what the store holds and its size', () => import('./commands/du.ts')),
  info: entry('Show the store, the runtime and what this machine can do', () => import('./commands/info.ts')),
  version: entry('Show the version', () => import('./commands/version.ts')),
  completion: entry('Print a completion script for a shell', () => import('./commands/completion.ts')),
};

/** Docker's grouped words for the same commands. */
export const groups: Record<string, { summary: string; commands: Record<string, string>; hidden?: boolean }> = {
  image: {
    summary: 'Manage images',
    commands: {
      build: 'build', diff: 'diff', files: 'files', history: 'history', import: 'import', inspect: 'inspect', layers: 'layers', load: 'load',
      ls: 'images', list: 'images',
      prune: 'prune', pull: 'pull', push: 'push', rm: 'rmi', remove: 'rmi', save: 'save', tag: 'tag',
    },
  },
  builder: { summary: 'Manage builds', commands: { build: 'build', prune: 'prune', du: 'du' } },
  buildx: { summary: 'Manage builds', commands: { build: 'build', prune: 'prune', du: 'du', version: 'version' }, hidden: true },
  index: { summary: 'Make and inspect indexes of several images', commands: { create: 'index create', inspect: 'index inspect', annotate: 'index annotate' } },
  context: { summary: 'Look into build contexts', commands: { ls: 'context ls', list: 'context ls' } },
  container: { summary: 'Manage containers', commands: { run: 'run', ls: 'ps', list: 'ps', ps: 'ps', rm: 'rm', remove: 'rm' } },
  system: { summary: 'Manage the store', commands: { df: 'du', info: 'info', prune: 'prune' } },
};

/** How the help arranges the commands. */
export const headings: [string, string[]][] = [
  ['Common commands', ['build', 'run', 'images', 'pull', 'push']],
  ['Images', ['history', 'layers', 'files', 'diff', 'inspect', 'tag', 'rmi', 'save', 'load', 'import']],
  ['Builds', ['plan', 'lock', 'explain', 'builds', 'logs', 'shell', 'verify']],
  ['Containers', ['ps', 'rm']],
  ['Registries', ['copy', 'ls', 'search', 'referrers', 'attach', 'outdated', 'login', 'logout', 'registry']],
  ['Store and machine', ['prune', 'du', 'info', 'version', 'completion']],
];

/** Second words of a group that only repeat another, and so stay out of its help. */
export const quietWords: ReadonlySet<string> = new Set(['list', 'remove']);
