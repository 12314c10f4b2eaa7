import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import type { Output } from '../build/export/output.ts';
import { parseAnnotation } from './annotation-flags.ts';
import { refuseAttestations } from './attestation-flags.ts';
import type { OutputFlags } from './output-flags.ts';
import { parseOutputs, type Surroundings } from './parse-outputs.ts';

const write = (): void => {};
const around: Surroundings = { terminal: false, write, folder: process.cwd(), mayDelete: false };
const parse = (output: string[], more: Partial<OutputFlags> = {}, where: Partial<Surroundings> = {}): Output[] | undefined =>
  parseOutputs({ output, annotation: [], ...more }, { ...around, ...where }).outputs;
const refused = (code: string, text: RegExp) => (error: unknown): boolean => isSiruError(error) && error.code === code && text.test(`${error.message} ${error.hint ?? ''}`);

test('nothing asked is nothing said', () => {
  assert.equal(parse([]), undefined);
  assert.equal(parse(['']), undefined);
});

test('the short forms: a folder, and a tar on standard output', () => {
  assert.deepEqual(parse(['out']), [{ type: 'local', dest: 'out' }]);
  assert.deepEqual(parse(['-']), [{ type: 'tar', dest: write }]);
  assert.throws(() => parse(['-'], {}, { terminal: true }), refused('USAGE', /not written to a terminal/));
  assert.throws(() => parse(['dest=out']), refused('USAGE', /has no type/));
});

test('every key of an image', () => {
  assert.deepEqual(parse(['type=image,"name=a:1,b",push=true,store=0,oci-mediatypes=false,compression=zstd,compression-level=19,force-compression=true,rewrite-timestamp=true,source-date-epoch=7,registry.insecure=1,annotation.k=v,annotation-index.i=1,annotation-manifest[linux/arm64].m=2,unpack=true']), [{
    type: 'image', names: ['a:1', 'b'], push: true, store: false, dockerTypes: true, compression: 'zstd', level: 19, forceCompression: true, rewriteTimestamp: true, epoch: 7, insecure: true,
    annotations: [{ on: 'manifest', key: 'k', value: 'v' }, { on: 'index', key: 'i', value: '1' }, { on: 'manifest', platform: 'linux/arm64', key: 'm', value: '2' }],
  }]);
  assert.deepEqual(parse(['type=registry,name=a']), [{ type: 'image', names: ['a'], push: true }]);
  assert.deepEqual(parse(['type=image,name=a,push-by-digest=true']), [{ type: 'image', names: ['a'], push: true, pushByDigest: true }]);
});

test('archives, trees and nothing at all', () => {
  assert.deepEqual(parse(['type=oci,dest=a.tar', 'type=oci,dest=layout,tar=false', 'type=docker,dest=b.tar,compression=uncompressed', 'type=docker', 'type=cacheonly']), [
    { type: 'oci', dest: 'a.tar' }, { type: 'oci', dest: 'layout', folder: true }, { type: 'docker', dest: 'b.tar', compression: 'none' }, { type: 'image' }, { type: 'cacheonly' },
  ]);
  assert.deepEqual(parse(['type=oci']), [{ type: 'oci', dest: write }]);
  assert.deepEqual(parse(['type=local,dest=out,platform-split=false', 'type=tar,dest=out.tar']), [{ type: 'local', dest: 'out', platformSplit: false }, { type: 'tar', dest: 'out.tar' }]);
  assert.throws(() => parse(['-', 'type=oci']), refused('USAGE', /two outputs go to standard output/));
  assert.throws(() => parse(['type=local']), refused('USAGE', /needs a destination/));
  assert.throws(() => parse(['type=oci,tar=false']), refused('USAGE', /needs a destination/));
});

test('--push and --load join what the outputs say', () => {
  assert.deepEqual(parse([], { push: true }), [{ type: 'image', push: true }]);
  assert.deepEqual(parse(['type=image,name=a'], { push: true }), [{ type: 'image', names: ['a'], push: true }]);
  assert.deepEqual(parse(['out'], { load: true }), [{ type: 'local', dest: 'out' }, { type: 'image' }]);
  assert.deepEqual(parse([], { load: true, push: true }), [{ type: 'image', push: true }]);
  assert.deepEqual(parse(['out'], { annotation: ['k=v'] }), [{ type: 'local', dest: 'out' }]);
  assert.deepEqual(parse([], { annotation: ['k=v'] }), [{ type: 'image', annotations: [{ key: 'k', value: 'v' }] }]);
});

test('what is unknown is refused with what is near, what is not done with the reason', () => {
  assert.throws(() => parse(['type=locale,dest=out']), refused('USAGE', /Did you mean local\?/));
  assert.throws(() => parse(['type=oci,dest=x,compresion=gzip']), refused('USAGE', /has no "compresion" Did you mean compression\?/));
  assert.throws(() => parse(['type=local,dest=x,compression=gzip']), refused('USAGE', /has no "compression"/));
  assert.throws(() => parse(['type=oci,dest=x,compression=estargz']), refused('UNSUPPORTED', /lazy pulling.*zstd/));
  assert.throws(() => parse(['type=oci,dest=x,compression-level=10']), refused('USAGE', /0 to 9/));
  assert.throws(() => parse(['type=oci,dest=x,compression=zstd,compression-level=23']), refused('USAGE', /0 to 22/));
  assert.throws(() => parse(['type=image,push=maybe']), refused('USAGE', /neither true nor false/));
  assert.throws(() => parse(['type=image,name-canonical=true']), refused('UNSUPPORTED', /name-canonical/));
  assert.throws(() => parse(['type=local,dest=x,mode=move']), refused('USAGE', /neither copy nor delete/));
});

test('mode=delete is for folders below the present one, links followed, unless more is allowed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-outputs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'here'));
  symlinkSync('..', join(folder, 'here/up'));
  const mode = (dest: string, mayDelete = false): Output[] | undefined => parse([`type=local,dest=${dest},mode=delete`], {}, { folder: join(folder, 'here'), mayDelete });
  assert.deepEqual(mode('out'), [{ type: 'local', dest: 'out', mode: 'delete' }]);
  assert.deepEqual(mode('..out'), [{ type: 'local', dest: '..out', mode: 'delete' }]);
  for (const dest of ['.', '..', '../x', 'up', 'up/x', folder]) assert.throws(() => mode(dest), refused('USAGE', /--allow buildx\.local\.delete/), dest);
  assert.deepEqual(mode('../x', true), [{ type: 'local', dest: '../x', mode: 'delete' }]);
});

test('annotations name kinds and platforms', () => {
  assert.deepEqual(parseAnnotation('org.example/a=b=c'), [{ key: 'org.example/a', value: 'b=c' }]);
  assert.deepEqual(parseAnnotation('index,manifest[linux/arm/v7]:a='), [{ on: 'index', key: 'a', value: '' }, { on: 'manifest', platform: 'linux/arm/v7', key: 'a', value: '' }]);
  assert.throws(() => parseAnnotation('a'), refused('USAGE', /not KEY=VALUE/));
  assert.throws(() => parseAnnotation('indx:a=b'), refused('USAGE', /Did you mean index\?/));
  assert.throws(() => parseAnnotation('manifest[what]:a=b'), refused('PLATFORM', /./));
});

test('attestations may be switched off, and are refused else', () => {
  const refuse = (flags: { attest?: string[]; sbom?: string | true; provenance?: string | true }) => (): void => refuseAttestations({ attest: [], ...flags });
  refuse({ sbom: 'false', provenance: 'false', attest: ['type=provenance,disabled=true', 'type=sbom,disabled=1'] })();
  for (const flags of [{ sbom: true as const }, { provenance: 'mode=max' }, { provenance: 'true' }, { attest: ['type=sbom,disabled=true', 'type=provenance,mode=min'] }]) assert.throws(refuse(flags), refused('UNSUPPORTED', /not made yet/));
});
