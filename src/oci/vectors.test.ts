/** The published vectors for references and documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import { familiarReference, formatReference, isDomain, parseBareReference, parseReference, parseReferenceOrId, parseReferenceWithTag, splitName, withoutIdleTag } from './reference.ts';
import { validateDocument } from './validate.ts';
import { readCases, runCases } from './vectors.suite.ts';

const thrown = (what: () => unknown, code: string): void => {
  assert.throws(what, (error) => isSiruError(error) && error.code === code);
};

test('references hold the vectors of distribution/reference', (t) => {
  const cases = readCases(t, 'reference.json');
  if (!cases) return;
  runCases(t, cases, ({ op, input: { text }, expect }) => {
    const format = (reference: any): string => (typeof reference === 'string' ? reference : formatReference(reference));
    switch (op) {
      case 'ref.parse': {
        if (expect.error) return thrown(() => parseBareReference(text), 'REFERENCE');
        const { domain, path, tag = '', digest = '' } = parseBareReference(text);
        assert.equal(domain === '' ? path : `${domain}/${path}`, expect.name);
        if (expect.domain !== undefined) assert.equal(domain, expect.domain);
        assert.deepEqual([tag, digest], [expect.tag, expect.digest]);
        return;
      }
      case 'ref.normalize': {
        if (expect.error) return thrown(() => parseReference(text), 'REFERENCE');
        const reference = parseReference(text);
        if (expect.string !== undefined) assert.equal(formatReference(reference), expect.string);
        if (expect.familiar !== undefined) assert.equal(familiarReference(reference), expect.familiar);
        if (expect.domain !== undefined) assert.deepEqual([reference.domain, reference.path], [expect.domain, expect.path]);
        return;
      }
      case 'ref.any':
        if (expect.error) return thrown(() => parseReferenceOrId(text), 'REFERENCE');
        return assert.equal(format(parseReferenceOrId(text)), expect.string);
      case 'ref.docker':
        if (expect.error) return thrown(() => parseReferenceWithTag(text), 'REFERENCE');
        return assert.equal(format(withoutIdleTag(parseReferenceWithTag(text))), expect.string);
      case 'ref.name-regexp': {
        const name = splitName(text);
        assert.equal(name !== undefined, expect.match);
        if (expect.subs.length > 0) assert.deepEqual([name!.domain, name!.path], expect.subs);
        return;
      }
      case 'ref.domain-regexp':
        return assert.equal(isDomain(text), expect.match);
      default:
        throw new Error(`unknown op ${op}`);
    }
  });
});

test('documents hold the vectors of the OCI image specification', (t) => {
  const cases = readCases(t, 'oci-image-schema.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    const validate = (): void => validateDocument(input.kind, Buffer.from(input.json));
    if (expect.valid) validate();
    else thrown(validate, 'DOCUMENT');
  });
});
