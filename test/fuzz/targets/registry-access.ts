/** What strangers send to a registry with users: an Authorization header, scopes, claims of a token, a password file. The first byte chooses. */
import { grant, parseScopes, scopesOf } from '../../../src/registry/access/scopes.ts';
import { parseAuthorization } from '../../../src/registry/access/credentials.ts';
import { networkOf } from '../../../src/registry/access/client-address.ts';
import { parsePasswords } from '../../../src/registry/access/password-file.ts';
import { fits, parsePattern } from '../../../src/registry/access/pattern.ts';
import { broken, type Target } from '../target.ts';

const hash = `$2b$10$${'a'.repeat(53)}`;
const everything = { repository: (): number => 7, catalog: true };

export const registryAccess: Target = {
  name: 'registry-access',
  share: 10,
  largest: 1 << 13,
  dictionary: ['repository:', 'registry:catalog:*', ':pull,push', '*', '/', '${user}', '**', 'Basic ', 'Bearer ', 'bm9ib2R5OnNlY3JldA==', `:${hash}`, '\n', '::', 'fe80::', '[{"type":"repository","name":"a","actions":["*"]}]'],
  seeds: () => [
    Buffer.from('aBasic bm9ib2R5OnNlY3JldA=='), Buffer.from('aBearer a.b.c'), Buffer.from('srepository:team/app:pull,push registry:catalog:*'),
    Buffer.from('c[{"type":"repository","name":"team/app","actions":["pull","*"]}]'), Buffer.from(`pann:${hash}\nbob:${hash}\n`), Buffer.from('nfe80::1%eth0'), Buffer.from('mhome/${user}/**\nhome/ann/x'),
  ],
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const rest = text.slice(1);
    switch (text[0]) {
      case 'a': return parseAuthorization(rest)?.kind ?? 'nothing';
      case 's': {
        const granted = grant(parseScopes([rest]), everything);
        const again = scopesOf(granted);
        for (const { type, name } of granted) if (type === 'repository' && !again.repositories.has(name)) broken(`${name} was granted and is not in the token`);
        return `${granted.length} scopes`;
      }
      case 'c': {
        let claim: unknown;
        try {
          claim = JSON.parse(rest);
        } catch {
          return 'no JSON';
        }
        return `${scopesOf(claim).repositories.size > 0}`;
      }
      case 'p':
        try {
          return `${parsePasswords(rest).size > 0}`;
        } catch (error) {
          const message = (error as Error).message;
          if (!/^line \d+: /.test(message) || (rest.length > 40 && message.includes(rest))) broken('the error does not name the line alone');
          return message.replace(/\d+/g, '_');
        }
      case 'n': return networkOf(rest).endsWith('/64') ? 'network' : 'address';
      default: {
        const [pattern = '', name = ''] = rest.split('\n');
        return `${fits(parsePattern(pattern.slice(0, 512)), name.slice(0, 255), 'ann')}`;
      }
    }
  },
};
