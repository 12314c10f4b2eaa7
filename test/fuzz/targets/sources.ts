/** What ADD, COPY and contexts are told from outside: addresses of repositories, contexts, modes. */
import { isSiruError } from '../../../src/base/errors.ts';
import { parseGitUrl } from '../../../src/build/contexts/git-url.ts';
import { parseContext, parseNamedContext } from '../../../src/build/contexts/spec.ts';
import { parseChmod } from '../../../src/build/steps/chmod.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';

export const sources: Target = {
  name: 'sources',
  share: 20,
  largest: 1 << 14,
  dictionary: ['https://', 'git@', 'github.com/', '.git', '#', '?', 'ref=', 'subdir=', 'checksum=', '&', ':', '/', '..', '@', '%2e', '%00', '-', 'docker-image://', 'oci-layout://', 'u+x', 'a=rX,'],
  seeds: () => ['https://u:secret@h.example/a.git#v1:docs', 'git@h.example:a/b.git?branch=main&subdir=x', 'ssh://git@h.example:22/a#refs/heads/x', 'github.com/a/b', 'https://h.example/a.git?ref=v1&checksum=abcdef1&keep-git-dir=true', 'oci-layout:///a/b:tag@sha256:x', 'docker-image://alpine', 'u=rwX,go-w', '0755', 'a+t,o=u'].map((text) => Buffer.from(text)),
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const git = answerOf(() => parseGitUrl(text));
    if (git && !isSiruError(git)) {
      if (git.remote.startsWith('-') || git.host.startsWith('-') || git.ref?.startsWith('-')) broken(`git would take it for an option: ${JSON.stringify(git)}`);
      if (git.subdir?.split('/').includes('..')) broken(`the directory ${JSON.stringify(git.subdir)} leads out`);
      // oxlint-disable-next-line no-control-regex
      if (/[\x00-\x1f\x7f]/.test(git.shown)) broken('a control character is shown');
    }
    const context = answerOf(() => parseContext(text, () => false));
    const named = answerOf(() => parseNamedContext('n', text));
    if (/^[a-z]+:\/\/u:se[^@:]*cret@/.test(text)) {
      for (const error of [git, context, named]) if (isSiruError(error) && /:se[^@:]*cret@/.test(error.message)) broken(`an error shows a password: ${error.message}`);
    }
    const mode = answerOf(() => parseChmod(text));
    if (!isSiruError(mode)) {
      for (const before of [0, 0o644, 0o7777]) for (const directory of [false, true]) if (!(mode(before, directory) >= 0 && mode(before, directory) <= 0o7777)) broken(`the mode ${mode(before, directory)}`);
    }
    return [git, context, named, mode].map((one) => (isSiruError(one) ? ending(one) : typeof one)).join(' | ');
  },
};
