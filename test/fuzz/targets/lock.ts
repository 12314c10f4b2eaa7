/** Lock files. */
import { formatLock, keyOf, parseLock } from '../../../src/build/lock/lock-file.ts';
import type { Random } from '../random.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { isSiruError } from '../../../src/base/errors.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const commit = '1'.repeat(40);
const words = ['image', 'url', 'git', 'platforms', '#', 'alpine:3.20', 'localhost:5000/a:1', 'linux/amd64', 'linux/arm/v7', 'https://h.example/a?b=c', 'https://h.example/a.git#main', digest, commit, 'refs/heads/main', 'refs/tags/v1', '<<<<<<<', '-x', 'ü'];

export const lock: Target = {
  name: 'lock',
  share: 20,
  largest: 1 << 13,
  dictionary: [...words, ' ', '\n', 'siru-lock 1\n', 'siru-lock 2\n'],
  seeds: () => [
    Buffer.from(`siru-lock 1\nplatforms linux/amd64 linux/arm64\nimage alpine:3.20 linux/amd64 ${digest}\nurl https://h.example/a ${digest}\ngit https://h.example/a.git#main ${commit} refs/heads/main ${commit}\n`),
    Buffer.from(`siru-lock 1\n\n# a\nplatforms linux/amd64\nurl https://h.example/a ${digest}\nurl https://h.example/a ${digest}\n`),
  ],
  generate: (random: Random) => Buffer.from(`siru-lock 1\nplatforms linux/amd64\n${Array.from({ length: random.int(6) }, () => Array.from({ length: 1 + random.int(5) }, () => random.pick(words)).join(' ')).join('\n')}${random.once(4) ? '' : '\n'}`),
  run(input) {
    const answer = answerOf(() => parseLock(input, 'Dockerfile.lock'));
    if (isSiruError(answer)) {
      if (answer.code !== 'LOCK' || !/^Dockerfile\.lock(?::\d+: | )/.test(answer.message)) broken(`an error that names no place: ${answer.message}`);
      return ending(answer);
    }
    const text = formatLock(answer);
    if (formatLock(parseLock(Buffer.from(text), 'again')) !== text) broken('what was written is read otherwise');
    if (new Set(answer.entries.map(keyOf)).size !== answer.entries.length) broken('one source twice');
    return answer.entries.map(({ kind }) => kind).join();
  },
};
