/** `/v2/<name>/manifests/<tag or digest>`: GET, HEAD, PUT, DELETE. */
import type { AppContext } from '../context.ts';
import { answer, answerBytes, readBody } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import type { Route } from '../route.ts';
import type { ManifestName } from '../storage.ts';
import { contentEvent } from './content-event.ts';
import { wrongMethod } from './methods.ts';
import { readManifest, tagsOf } from './read-manifest.ts';

export type ManifestRoute = Extract<Route, { route: 'manifest' }>;

/** Bytes of a manifest, as the specification asks every registry to take. */
export const largestManifest: number = 4 * 1024 * 1024;

export function answerManifest(context: AppContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD': return getManifest(context, exchange, route);
    case 'PUT': return putManifest(context, exchange, route);
    case 'DELETE': return deleteManifest(context, exchange, route);
    default: throw wrongMethod(exchange, ['GET', 'HEAD', 'PUT', 'DELETE']);
  }
}

async function getManifest(context: AppContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { repository, tag, digest } = route;
  const { access, storage, upstream } = context;
  await access.allow({ user: exchange.user, action: 'pull', repository, ...(digest && { digest }), request: exchange.request });
  if (upstream) await upstream.manifest({ repository, ...(tag !== undefined && { tag }), ...(digest && { digest }), user: exchange.user });
  const found = await storage.manifests.get(repository, nameOf(route));
  if (found === undefined) throw unknownManifest(route);
  const headers = { 'content-type': found.mediaType, 'docker-content-digest': found.digest, etag: `"${found.digest}"` };
  answerBytes(exchange, 200, found.bytes, headers);
  if (exchange.method === 'GET') {
    context.emit(contentEvent(exchange, { type: 'pull', kind: 'manifest', repository, digest: found.digest, tags: tag === undefined ? [] : [tag], bytes: found.bytes.length }));
  }
}

async function putManifest(context: AppContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { repository } = route;
  const { access, settings, storage } = context;
  const { user, request } = exchange;
  const tags = tagsOf(exchange, route);
  await access.allow({ user, action: 'push', repository, tags, ...(route.digest && { digest: route.digest }), request });
  const bytes = await readBody(exchange, largestManifest, 'manifest');
  const { digest, mediaType, facts } = readManifest(exchange, route, bytes);
  await access.reserve?.({ user, repository, bytes: bytes.length });
  await storage.manifests.put(repository, {
    digest, mediaType, bytes, facts, tags,
    require: { blobs: settings.requireBlobs, manifests: settings.requireManifests },
    onMove: (tag, before) => access.changeTag?.({ user, repository, tag, before, to: digest }),
  });
  context.emit(contentEvent(exchange, { type: 'push', kind: 'manifest', repository, digest, tags, bytes: bytes.length }));
  exchange.response.setHeader('oci-tag', tags);
  if (tags.length === 0) exchange.response.removeHeader('oci-tag');
  answer(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(facts.subject && { 'oci-subject': facts.subject }),
  });
}

async function deleteManifest(context: AppContext, exchange: Exchange, route: ManifestRoute): Promise<void> {
  const { repository, tag, digest } = route;
  const { access, settings, storage } = context;
  const { user } = exchange;
  if (!settings.deletes) throw wrongMethod(exchange, ['GET', 'HEAD', 'PUT']);
  await access.allow({ user, action: 'delete', repository, ...(tag !== undefined && { tags: [tag] }), ...(digest && { digest }), request: exchange.request });
  const mayGo = (name: string, before: typeof digest): void => access.changeTag?.({ user, repository, tag: name, before: before!, to: undefined });
  const gone = tag === undefined
    ? await storage.manifests.delete(repository, digest!, (name) => mayGo(name, digest))
    : await storage.tags.delete(repository, tag, (before) => mayGo(tag, before));
  if (!gone) throw unknownManifest(route);
  context.emit(contentEvent(exchange, { type: 'delete', kind: tag === undefined ? 'manifest' : 'tag', repository, digest, tags: tag === undefined ? [] : [tag] }));
  answer(exchange, 202);
}

function nameOf({ tag, digest }: ManifestRoute): ManifestName {
  return tag === undefined ? { digest: digest! } : { tag };
}

function unknownManifest({ repository, tag, digest }: ManifestRoute): Refusal {
  return new Refusal('MANIFEST_UNKNOWN', `the repository ${repository} has no manifest ${tag ?? digest}`, { detail: { name: repository, ...(tag === undefined ? { digest } : { tag }) } });
}
