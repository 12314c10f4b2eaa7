/** What a shell may complete, taken from the tree of commands. */
import type { Command } from 'commander';

export interface CommandWords {
  /** `['image', 'ls']`. */
  path: string[];
  summary: string;
  options: { names: string[]; summary: string; takesValue: boolean; values?: string[] }[];
  /** What its operands are. */
  operands: 'images' | 'containers' | 'files' | 'folders' | 'none' | string[];
}

const ofImages = new Set(['run', 'images', 'history', 'layers', 'files', 'diff', 'inspect', 'tag', 'rmi', 'push', 'pull', 'save', 'explain', 'logs', 'shell', 'verify']);
const ofContainers = new Set(['rm']);
const ofFolders = new Set(['build', 'plan']);
const ofFiles = new Set(['import']);
const values: Record<string, string[]> = {
  '--progress': ['auto', 'tty', 'plain', 'quiet', 'json'],
  '--network': ['default', 'none', 'host'],
  '--isolation': ['auto', 'root', 'userns', 'none'],
  '--pull': ['missing', 'always', 'never'],
};
/** A container has a narrower choice than a RUN. */
const ofRun: Record<string, string[]> = { '--network': ['none', 'host'], '--isolation': ['auto', 'root', 'userns'] };
/** Words of `siru image`. */
const alias: Record<string, string> = { ls: 'images', list: 'images', rm: 'rmi', remove: 'rmi' };

/** Every command that the help shows, groups before their members. */
export function completionWords(program: Command): CommandWords[] {
  const out: CommandWords[] = [];
  const visit = (command: Command, path: string[]): void => {
    const help = command.createHelp();
    const last = path.at(-1) ?? '';
    const name = path[0] === 'image' ? (alias[last] ?? last) : last;
    const choices = name === 'run' || name === 'shell' ? { ...values, ...ofRun } : values;
    const members = help.visibleCommands(command).filter((member) => member.name() !== 'help');
    out.push({
      path,
      summary: command.description(),
      options: help.visibleOptions(command).map((option) => ({
        names: [option.short, option.long].filter((text) => text !== undefined),
        summary: option.description,
        takesValue: option.required,
        ...(option.required && choices[option.long ?? ''] ? { values: choices[option.long!] } : {}),
      })),
      operands: members.length > 0 ? members.map((member) => member.name())
        : name === 'completion' ? ['bash', 'zsh', 'fish']
        : name === 'builds' ? ['ls', 'inspect', 'compare', 'trace', 'rm']
        : ofImages.has(name) ? 'images' : ofContainers.has(name) ? 'containers' : ofFolders.has(name) ? 'folders' : ofFiles.has(name) ? 'files' : 'none',
    });
    for (const member of members) visit(member, [...path, member.name()]);
  };
  visit(program, []);
  return out;
}

/** The command that gives image names; printed once per completion, errors unseen. */
export const imageNames = "siru images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null";

/** The same for containers. */
export const containerNames = "siru ps -a --format '{{.Names}}' 2>/dev/null";
