/** Manifests and indexes of a registry: get, head, put. */
import { createHash, getHashes } from 'node:crypto';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { parseDigest, sha256 } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { discard, readDocument } from './transport.ts';
import type { HttpResponse } from './transport.ts';

export interface RemoteManifest {
  /** As the registry keeps them; they have `digest`. */
  bytes: Buffer;
  mediaType: string;
  digest: Digest;
  /** Host that served it: a mirror's or the registry's own. */
  servedBy: string;
}

export interface RemoteManifestHead {
  mediaType: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  servedBy: string;
}

/** A manifest above this is refused (OCI distribution spec, "Pushing Manifests": at least 4 MiB are to be taken). */
export const manifestLimit: number = 4 << 20;

const accepted = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerIndex].join(', ');
// Asked for too, so that an old image is named as what it is and not as one that does not exist.
const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1, application/vnd.docker.distribution.manifest.v1+json;q=0.1';

export function pullScope(path: string): string {
  return `repository:${path}:pull`;
}

export function pushScope(path: string): string {
  return `repository:${path}:pull,push`;
}

/** What names a manifest in a URL: the digest when the reference has one, else its tag. */
function nameOf(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/**
 * Gets a manifest or an index, whichever the name stands for. The bytes are checked against the reference's digest and
 * against what the registry says of them. Throws NOT_FOUND, AUTH, REGISTRY, NETWORK, DOCUMENT (too large), DIGEST.
 */
export async function getManifest(connection: Connection, endpoint: Endpoint, reference: Reference, context: Context): Promise<RemoteManifest> {
  const name = nameOf(reference);
  const response = await connection.send(endpoint, {
    method: 'GET',
    at: `manifests/${name}`,
    repository: reference.path,
    headers: { accept: `${accepted}, ${schema1}` },
    scopes: [pullScope(endpoint.prefix + reference.path)],
    accept: [200],
    about: { action: 'pull', what: `manifest ${name}` },
  }, context);
  const bytes = await readDocument(response, manifestLimit, `manifest ${name}`, context);
  const { mediaType, oldest } = kindOf(response, bytes);
  const said = headerDigest(response);
  // A document of schema 1 is signed and has the digest of its payload. Whoever parses it refuses it, and says why.
  const expected = oldest ? undefined : (reference.digest ?? said);
  const actual = expected === undefined ? sha256(bytes) : digestLike(expected, bytes);
  if (expected !== undefined && actual !== expected) {
    throw new SiruError('DIGEST', `manifest ${name} of ${reference.path} from ${endpoint.host} has the digest ${actual}, not ${expected}`, {
      hint: 'the registry or a proxy on the way damaged it: try again, or use another mirror',
    });
  }
  return { bytes, mediaType, digest: actual, servedBy: endpoint.host };
}

/** What a name stands for, without its bytes; undefined when there is no such manifest. */
export async function headManifest(connection: Connection, endpoint: Endpoint, reference: Reference, action: 'pull' | 'push', context: Context): Promise<RemoteManifestHead | undefined> {
  const name = nameOf(reference);
  const path = endpoint.prefix + reference.path;
  const response = await connection.send(endpoint, {
    method: 'HEAD',
    at: `manifests/${name}`,
    repository: reference.path,
    headers: { accept: accepted },
    scopes: [action === 'push' ? pushScope(path) : pullScope(path)],
    accept: [200, 404],
    about: { action, what: `manifest ${name}` },
  }, context);
  discard(response);
  if (response.status === 404) return undefined;
  const digest = headerDigest(response);
  const size = Number(response.headers['content-length']);
  if (digest === undefined || !Number.isSafeInteger(size)) {
    // An old registry that says nothing of digests in HEAD.
    const { bytes, ...manifest } = await getManifest(connection, endpoint, reference, context);
    return { ...manifest, size: bytes.length };
  }
  return { mediaType: bareType(response), digest, size, servedBy: endpoint.host };
}

/** Puts a manifest under the reference's tag, or under its digest when the reference has no tag. Gives the digest. */
export async function putManifest(connection: Connection, endpoint: Endpoint, reference: Reference, bytes: Uint8Array, mediaType: string, context: Context): Promise<Digest> {
  const digest = reference.digest === undefined || reference.digest.startsWith('sha256:') ? sha256(bytes) : digestLike(reference.digest, Buffer.from(bytes));
  const name = reference.tag ?? digest;
  const response = await connection.send(endpoint, {
    method: 'PUT',
    at: `manifests/${name}`,
    repository: reference.path,
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: bytes,
    scopes: [pushScope(endpoint.prefix + reference.path)],
    accept: [200, 201, 202],
    about: { action: 'push', what: `manifest ${name}` },
  }, context);
  discard(response);
  const said = headerDigest(response);
  if (said !== undefined && algorithmOf(said) === algorithmOf(digest) && said !== digest) {
    throw new SiruError('DIGEST', `${endpoint.host} took manifest ${name} as ${said}, but ${digest} was sent`);
  }
  return digest;
}

/** Deletes what the tag or the digest names. Throws NOT_FOUND, UNSUPPORTED when the registry deletes nothing, AUTH, REGISTRY. */
export async function deleteManifest(connection: Connection, endpoint: Endpoint, reference: Reference, context: Context): Promise<void> {
  const name = nameOf(reference);
  discard(await connection.send(endpoint, {
    method: 'DELETE',
    at: `manifests/${name}`,
    repository: reference.path,
    scopes: [`repository:${endpoint.prefix}${reference.path}:delete,pull`],
    accept: [200, 202, 204],
    about: { action: 'delete', what: `manifest ${name}` },
  }, context));
}

function headerDigest(response: HttpResponse): Digest | undefined {
  const value = response.headers['docker-content-digest'];
  return typeof value === 'string' && value !== '' ? parseDigest(value) : undefined;
}

function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'));
}

function digestLike(expected: Digest, bytes: Buffer): Digest {
  const algorithm = algorithmOf(expected);
  if (!getHashes().includes(algorithm)) throw new SiruError('UNSUPPORTED', `digests by ${algorithm} cannot be checked here`);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

function bareType(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * The document's own word counts, not the header's: proxies and static hosts serve manifests under types of their own.
 * `oldest` is true for what says of itself that it is of schema 1.
 */
function kindOf(response: HttpResponse, bytes: Buffer): { mediaType: string; oldest: boolean } {
  const { mediaType: own, schemaVersion } = headOf(bytes);
  const oldest = schemaVersion === 1;
  if (typeof own === 'string' && own !== '') return { mediaType: own, oldest };
  return { mediaType: oldest ? 'application/vnd.docker.distribution.manifest.v1+json' : bareType(response), oldest };
}

function headOf(bytes: Buffer): { mediaType?: unknown; schemaVersion?: unknown } {
  try {
    return (JSON.parse(bytes.toString('utf8')) as object | null) ?? {};
  } catch {
    return {}; // told by whoever parses it
  }
}
