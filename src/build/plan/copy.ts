/** COPY and ADD: files from elsewhere into the image. */
import { posix } from 'node:path';
import { bodyOf } from '../../dockerfile/heredoc.ts';
import type { Heredoc, InstructionOf } from '../../dockerfile/instruction.ts';
import type { CopyPlan, StageState } from '../step-plan.ts';
import type { Change } from './change.ts';
import type { Expander } from './expansion.ts';
import { fault } from '../../dockerfile/errors.ts';
import { layerEntry } from './history.ts';
import { destinationPath } from './paths.ts';
import type { Scope } from './scope.ts';
import { slashed, workdirOf } from './windows-paths.ts';
import { isHttpSource, readGitSource } from './source-words.ts';

export function planCopy(state: StageState, instruction: InstructionOf<'copy'> | InstructionOf<'add'>, scope: Scope, expander: Expander): Change {
  const { kind } = instruction;
  const sources = instruction.sources.map((source) => expander.word(source));
  const written = expander.word(instruction.destination);
  const plan: CopyPlan = {
    kind,
    from: kind === 'copy' && instruction.from ? scope.sourceOf(instruction.from, 'copy') : { type: 'context' },
    sources,
    inline: instruction.heredocs.map((heredoc) => inlineFile(heredoc, expander)),
    destination: destinationPath(workdirOf(state), slashed(written, state.platform.os)),
    link: instruction.link,
    parents: kind === 'copy' && instruction.parents,
    exclude: instruction.exclude,
    keepGitDir: kind === 'add' && (instruction.keepGitDir ?? false),
  };
  if (kind === 'add') for (const source of sources) checkGit(source, instruction.keepGitDir);
  const chown = instruction.chown === undefined ? '' : expander.word(instruction.chown);
  const chmod = instruction.chmod === undefined ? '' : expander.word(instruction.chmod);
  if (chown !== '') plan.chown = chown;
  if (chmod !== '') {
    plan.chmod = chmod;
    plan.link = false; // BuildKit copies in place then, and where symlinks lead shows it
  }
  if (kind === 'copy') refuseRemote(sources);
  else {
    if (instruction.unpack !== undefined) plan.unpack = instruction.unpack;
    const checksum = instruction.checksum === undefined ? '' : expander.word(instruction.checksum);
    if (checksum !== '') plan.checksum = checkedChecksum(checksum, sources);
  }
  const flags = [
    plan.parents ? ['--parents'] : [],
    chown === '' ? [] : [`--chown=${chown}`],
    chmod === '' ? [] : [`--chmod=${chmod}`],
  ].flat();
  const words = [kind.toUpperCase(), ...flags, ...sources, ...plan.inline.map(({ name }) => `<<${name}`), written];
  return { state, step: plan, history: layerEntry(`${words.join(' ')} # buildkit`) };
}

function inlineFile(heredoc: Heredoc, expander: Expander): CopyPlan['inline'][number] {
  const { name, expand } = heredoc;
  const path = posix.resolve('/', name);
  if (posix.dirname(path) !== '/' || path === '/') {
    throw fault(`heredoc <<${name}: open ${path}: no such file or directory`, 'The word of a heredoc names a file; the folder belongs into the destination.');
  }
  const content = bodyOf(heredoc);
  return { name, content: expand ? expander.body(content) : content };
}

function refuseRemote(sources: string[]): void {
  const hint = 'ADD fetches from elsewhere; COPY takes files of the context, a stage or an image.';
  for (const source of sources) {
    if (readGitSource(source)) throw fault("source can't be a git ref for COPY", hint);
    if (isHttpSource(source)) throw fault("source can't be a URL for COPY", hint);
  }
}

/** What an address and the flags say has to agree. */
function checkGit(source: string, keepGitDir: boolean | undefined): void {
  const git = readGitSource(source);
  if (git?.keepGitDir !== undefined && keepGitDir !== undefined && git.keepGitDir !== keepGitDir) throw fault('inconsistent keep-git-dir configuration');
}

function checkedChecksum(checksum: string, sources: string[]): string {
  if (sources.length !== 1) throw fault("checksum can't be specified for multiple sources");
  const [source = ''] = sources;
  const git = readGitSource(source);
  if (!isHttpSource(source) && !git) throw fault('checksum requires HTTP(S) or Git sources');
  if (git) {
    if (!/^[0-9a-f]{1,64}$/i.test(checksum)) throw fault(`invalid checksum ${JSON.stringify(checksum)}: expected a commit in hexadecimal`);
    if (git.checksum !== undefined && git.checksum !== checksum.toLowerCase()) throw fault(`checksum mismatch ${JSON.stringify(git.checksum)} != ${JSON.stringify(checksum)}`);
    return checksum.toLowerCase();
  }
  return checksum;
}
