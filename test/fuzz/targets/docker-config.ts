/** The configuration files of docker and of Siru. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSiruError } from '../../../src/base/errors.ts';
import { loadConfiguration } from '../../../src/remote/configuration.ts';
import { openCredentials } from '../../../src/remote/credentials.ts';
import { generateJson, jsonDictionary } from '../json.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';

const secret = 'c2VjcmV0OnBhc3N3b3Jk';
const names = ['auths', 'auth', 'username', 'password', 'identitytoken', 'h.example', 'https://index.docker.io/v1/', 'registries', 'docker.io', 'mirrors', 'insecure', '__proto__'];
const values = [secret, 'h.example:5000', 'http://x/y', 'u', '', true];

export const dockerConfig: Target = {
  name: 'docker-config',
  share: 10,
  largest: 1 << 13,
  dictionary: [...jsonDictionary, ...names.map((name) => `"${name}":`), `"${secret}"`],
  seeds: () => [
    Buffer.from(JSON.stringify({ auths: { 'h.example': { auth: secret }, 'https://index.docker.io/v1/': { identitytoken: 'x' } } })),
    Buffer.from(JSON.stringify({ registries: { 'docker.io': { mirrors: ['localhost:5000'], insecure: false } } })),
  ],
  generate: (random) => Buffer.from(generateJson(random, names, values)),
  async run(input) {
    // A helper is a program of this machine; which one is called is the user's affair.
    if (/credsStore|credHelpers/.test(Buffer.from(input).toString('latin1'))) return 'helper';
    const folder = mkdtempSync(join(tmpdir(), 'siru-fuzz-'));
    try {
      const file = join(folder, 'config.json');
      writeFileSync(file, input);
      const own = answerOf(() => loadConfiguration({}, { SIRU_CONFIG: file }));
      const ends = [ending(own)];
      const credentials = openCredentials({ dockerConfig: file, environment: {} });
      for (const host of ['h.example', 'docker.io']) {
        try {
          ends.push(typeof (await credentials.get(host)));
        } catch (error) {
          if (!isSiruError(error)) throw error;
          if (error.message.includes(secret)) broken('an error shows a secret');
          ends.push(ending(error).replace(folder, ''));
        }
      }
      return ends.join(' | ').replaceAll(folder, '');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
