/** Short texts that people and servers give: references, platforms, digests, and the values of options. */
import { isDeepStrictEqual } from 'node:util';
import { isSiruError } from '../../../src/base/errors.ts';
import { parseFields } from '../../../src/cli/arguments.ts';
import { parseHost, parseSecret } from '../../../src/cli/step-flags.ts';
import { parseUntil, referencePattern } from '../../../src/cli/image-filter.ts';
import { parseCpus, parseMemory, parseMount as parseRunMount, parseTmpfs, parseVolume } from '../../../src/cli/run-flags.ts';
import { harmlessLine, harmlessLog, harmlessText } from '../../../src/cli/sanitize.ts';
import { parseBytes, parseDuration } from '../../../src/cli/units.ts';
import { parseMount } from '../../../src/dockerfile/instructions/run.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { formatPlatform, parsePlatform } from '../../../src/oci/platform.ts';
import { familiarReference, formatReference, parseBareReference, parseReference, parseReferenceOrId, parseReferenceWithTag } from '../../../src/oci/reference.ts';
import { compareVersions, exactTags, followersOf, formatVersion, newerTags, parseVersion } from '../../../src/oci/semver.ts';
import { parseRateLimit } from '../../../src/remote/rate-limit.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { textOf, vectorSeeds } from '../vectors.ts';

export const names: Target = {
  name: 'names',
  share: 50,
  largest: 1 << 12,
  dictionary: ['docker.io/', 'library/', ':latest', `@sha256:${'0'.repeat(64)}`, 'localhost:5000/', '[::1]:', '/', '__', 'linux/', 'arm/v7', 'type=bind,', 'src=', 'target=/x', ',', '=', '1.5g', '10m', '*', '\x1b[31m', '\x9b', '\u202e'],
  seeds: () => [...vectorSeeds('reference.json', textOf), ...['linux/arm64/v8', 'windows(10.0)/amd64', 'type=cache,target=/x,"id=a,b"', 'id=a,env=B', 'a:/b:ro', '1h30m', '1.5GiB', 'h:1.2.3.4', 'v1.10.5-rc.1_b2,1.10,latest', '76;w=21600', '\x1b]0;t\x07x\x1b[2J', 'sha256:' + 'f'.repeat(64)].map((text) => Buffer.from(text))],
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const reference = answerOf(() => parseReference(text));
    if (!isSiruError(reference)) {
      for (const form of [formatReference(reference), familiarReference(reference)]) {
        const again = answerOf(() => parseReference(form));
        if (isSiruError(again) || formatReference(again) !== formatReference(reference)) broken(`${JSON.stringify(text)} is written as ${JSON.stringify(form)}, which is another name`);
      }
    }
    const platform = answerOf(() => parsePlatform(text));
    if (!isSiruError(platform)) {
      const written = formatPlatform(platform);
      const again = answerOf(() => parsePlatform(written));
      if (isSiruError(again) || formatPlatform(again) !== written) broken(`the platform ${JSON.stringify(text)} is written as ${written}`);
    }
    const version = parseVersion(text);
    if (version && !isDeepStrictEqual(parseVersion(formatVersion(version)), version)) broken(`the version ${JSON.stringify(text)} is written as ${formatVersion(version)}`);
    const others: (() => unknown)[] = [
      () => parseReferenceWithTag(text), () => parseBareReference(text), () => parseReferenceOrId(text), () => parseDigest(text),
      () => parseMount(text), () => parseFields(text), () => parseHost(text), () => parseSecret(text, {}),
      () => parseVolume(text, '/'), () => parseRunMount(text, '/'), () => parseTmpfs(text), () => parseMemory(text), () => parseCpus(text),
      () => parseUntil(text, 0), () => referencePattern(text)('docker.io/library/a:b'), () => parseBytes(text), () => parseDuration(text),
      () => version && [followersOf(version, text.split(',')), newerTags('1.2.3', [text]), exactTags('1', text.split(',')), compareVersions(version, version)],
      () => parseRateLimit({ 'ratelimit-remaining': text, 'ratelimit-limit': text }),
    ];
    const taken = others.map((parse) => (isSiruError(answerOf(parse)) ? 'n' : 'y')).join('');
    checkHarmless(text);
    return `${ending(reference)} ${ending(platform)} ${taken}`;
  },
};

// oxlint-disable-next-line no-control-regex -- what must not reach a terminal
const harmful = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

function checkHarmless(text: string): void {
  if (harmful.test(harmlessText(text)) || /[\n\t]/.test(harmlessLine(text)) || harmful.test(harmlessLine(text))) broken('a control character is left');
  // oxlint-disable-next-line no-control-regex
  if (harmful.test(harmlessLog(text).replace(/\x1b\[[0-9;:]*m/g, ''))) broken(`harmful in a log: ${JSON.stringify(harmlessLog(text))}`);
}
