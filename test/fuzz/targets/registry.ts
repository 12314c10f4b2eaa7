/** Answers of registries and token servers. The input is headers, one a line, then a blank line and the body. */
import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { contextOf } from '../../../src/base/context.ts';
import { isSiruError } from '../../../src/base/errors.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { createAuthorizer } from '../../../src/remote/auth.ts';
import { parseChallenges } from '../../../src/remote/challenge.ts';
import type { Connection } from '../../../src/remote/connection.ts';
import type { Endpoint } from '../../../src/remote/endpoint.ts';
import { parseServerErrors, refusal } from '../../../src/remote/errors.ts';
import { getManifest, headManifest } from '../../../src/remote/manifests.ts';
import { listRepositories } from '../../../src/remote/catalog.ts';
import { listReferrers } from '../../../src/remote/referrers.ts';
import { listTags } from '../../../src/remote/tags.ts';
import type { HttpResponse, Transport } from '../../../src/remote/transport.ts';
import { generateJson, jsonDictionary } from '../json.ts';
import { broken, ending, type Target } from '../target.ts';

const names = ['token', 'access_token', 'expires_in', 'errors', 'code', 'message', 'detail', 'tags', 'name', 'mediaType', 'schemaVersion', '__proto__'];
const values = ['abc', 300, -5, 'DENIED', 'MANIFEST_UNKNOWN', 'v1', 'a b\x1b[2J', 'application/vnd.oci.image.index.v1+json', 1, 2];
const headers = ['content-type: application/json', `docker-content-digest: sha256:${'0'.repeat(64)}`, 'docker-content-digest: md5:x', 'link: </v2/a/tags/list?last=x>; rel="next"', 'link: <https://10.0.0.1/>; rel=next', 'content-length: 99999999', 'www-authenticate: Bearer realm="https://h.example/token",service="s",scope="repository:a:pull"', 'www-authenticate: Basic realm=x, Bearer realm="http://10.0.0.1/"', 'www-authenticate: Bearer realm=":"'];

export const registry: Target = {
  name: 'registry',
  share: 20,
  largest: 1 << 14,
  dictionary: [...jsonDictionary, ...headers.map((header) => `${header}\n`), ...names.map((name) => `"${name}":`), '\n\n'],
  seeds: () => [
    Buffer.from(`${headers[6]}\n\n{"token":"abc","expires_in":300}`),
    Buffer.from(`${headers[3]}\n\n{"name":"a","tags":["v1","v2"]}`),
    Buffer.from(`${headers[1]}\n\n{"errors":[{"code":"DENIED","message":"no"}]}`),
  ],
  generate: (random) => Buffer.from(`${Array.from({ length: random.int(4) }, () => random.pick(headers)).join('\n')}\n\n${generateJson(random, names, values)}`),
  async run(input) {
    const text = Buffer.from(input).toString('utf8');
    const blank = text.indexOf('\n\n');
    const head = blank < 0 ? '' : text.slice(0, blank);
    const body = Buffer.from(blank < 0 ? text : text.slice(blank + 2));
    const given = Object.fromEntries(head.split('\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
    }));
    for (const { scheme } of parseChallenges(given['www-authenticate'] ?? text)) if (scheme !== scheme.toLowerCase()) broken('a scheme in upper case');
    const errors = parseServerErrors(body);
    // oxlint-disable-next-line no-control-regex
    for (const { code, message } of errors) if (/[\x00-\x1f]/.test(code + message)) broken('a control character in an error of a server');
    refusal({ registry: 'h.example', action: 'pull', repository: 'a', what: 'x' }, 400 + (input.length % 110), errors, new URL('https://h.example/v2/'));
    return await asked(given, body);
  },
};

async function asked(given: HttpResponse['headers'], body: Buffer): Promise<string> {
  const context = contextOf();
  let sent = 0;
  const answer = async (): Promise<HttpResponse> => {
    // The pages of a hostile registry have no end; the client's own bound on them has its test elsewhere.
    if (++sent > 20) return { status: 200, headers: {}, url: new URL('https://h.example/v2/'), body: Readable.from([Buffer.from('{}')]) as IncomingMessage };
    return { status: 200, headers: given, url: new URL('https://h.example/v2/'), body: Readable.from([body]) as IncomingMessage };
  };
  const transport = { send: answer, close() {}, retry: {} } as unknown as Transport;
  const connection = { send: answer, transport } as unknown as Connection;
  const endpoint: Endpoint = { registry: 'h.example', host: 'h.example', prefix: '', mirror: false, plain: false, unverified: false };
  const reference = parseReference('h.example/a:b');
  const authorizer = createAuthorizer({ transport, credentials: async () => undefined, nameOf: (host) => host, unverified: () => false });
  const calls = [
    () => getManifest(connection, endpoint, reference, context),
    () => headManifest(connection, endpoint, reference, 'pull', context),
    async () => {
      for await (const tag of listTags(connection, endpoint, reference, {}, context)) if (!/^[\w.-]+$/.test(tag)) broken(`the tag ${JSON.stringify(tag)}`);
    },
    async () => {
      for await (const name of listRepositories(connection, endpoint, {}, context)) if (!/^[\w./:[\]-]+$/.test(name)) broken(`the repository ${JSON.stringify(name)}`);
    },
    () => listReferrers(connection, endpoint, reference, `sha256:${'0'.repeat(64)}`, undefined, context),
    async () => authorizer.answer('h.example', await answer(), [], undefined, context),
  ];
  const ends: string[] = [];
  for (const call of calls) {
    try {
      ends.push(typeof (await call()));
    } catch (error) {
      if (!isSiruError(error)) throw error;
      ends.push(ending(error));
    }
  }
  return ends.join(' | ');
}
