/** The key of a step: a digest over its named parts. */
import { stableJson } from '../base/json.ts';
import { sha256, type Digest } from '../oci/digest.ts';
import type { KeyPart } from '../store/store.ts';

/** Changes when the meaning of parts or of results changes, so that an older Siru's records are not taken for ours. */
const keyVersion = 1;

/** The digest of the parts, whatever their order. Throws on two parts of one name: a name must tell one thing. */
export function stepKey(parts: readonly KeyPart[]): Digest {
  const named = new Map<string, string>();
  for (const { name, value } of parts) {
    if (named.has(name)) throw new Error(`two parts of a step key are called ${JSON.stringify(name)}`);
    named.set(name, value);
  }
  return sha256(stableJson({ version: keyVersion, parts: [...named].sort(([a], [b]) => (a < b ? -1 : 1)) }));
}
