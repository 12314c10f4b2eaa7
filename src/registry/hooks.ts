/**
 * Where the parts around the registry's core are plugged in: who may do what, what happened, further pages, upstreams.
 * All are optional plain objects given to createApp(); without them everybody may do everything.
 */
import type { IncomingMessage } from 'node:http';
import type { Digest } from '../oci/digest.ts';
import type { AppContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** Who asks. */
export interface User {
  name: string;
  groups: readonly string[];
}

/** `ping` is `GET /v2/`, `catalog` the list of repositories. */
export type Action = 'ping' | 'pull' | 'push' | 'delete' | 'catalog';

/** What somebody wants to do. Asked before anything is looked up, and again for each repository that a mount takes from. */
export interface Question {
  /** Undefined is anybody. */
  user: User | undefined;
  action: Action;
  /** Not for ping and catalog. */
  repository?: string;
  /** Tags that are written or removed. */
  tags?: readonly string[];
  /** The manifest or blob, where the request names one. */
  digest?: Digest;
  request: IncomingMessage;
}

export interface Access {
  /** False: nobody can log in, whatever the other rules are. */
  readonly hasUsers?: boolean;
  /** Reads the credentials of a request; undefined when it has none. Throws a Refusal (UNAUTHORIZED) for wrong ones. */
  identify(request: IncomingMessage): User | undefined | Promise<User | undefined>;
  /** Returns when it is allowed. Throws a Refusal: UNAUTHORIZED with `www-authenticate`, DENIED, TOOMANYREQUESTS. */
  allow(question: Question): void | Promise<void>;
  /** For a list of repositories: whether this user sees the name. */
  sees?(user: User | undefined, repository: string): boolean;
  /** Asked in the transaction that would move (`to`) or remove a tag; throws a Refusal (DENIED) for an immutable one. */
  changeTag?(question: { user: User | undefined; repository: string; tag: string; before: Digest; to: Digest | undefined }): void;
  /**
   * Asked before bytes are taken: when an upload opens or grows (`bytes` is its size so far, or what was announced), and
   * before a manifest is put or a blob mounted. Throws a Refusal (DENIED) when the quota is used up; gives how many bytes
   * there may be altogether.
   */
  reserve?(question: { user: User | undefined; repository: string; bytes: number }): Promise<number>;
  /** Who the client is when the connection is a proxy's, for the log. */
  addressOf?(request: IncomingMessage): string;
}

/** What happened to content, for audit, metrics and retention. Sent after it is durable. */
export interface ContentEvent {
  type: 'push' | 'pull' | 'delete' | 'mount';
  kind: 'manifest' | 'blob' | 'tag';
  repository: string;
  digest: Digest | undefined;
  tags: readonly string[];
  bytes: number;
  user: string | undefined;
  /** Id of the request; empty for what the server did by itself, `user` then tells by what: `collection`, `retention`. */
  id: string;
  at: number;
}

/** A request that was answered, or broke off. */
export interface RequestEvent {
  type: 'request';
  id: string;
  at: number;
  method: string;
  /** Without the query; never credentials. */
  path: string;
  /** What it was about: `manifest`, `blob`, `upload`, `tags`, `referrers`, `catalog`, `base`, or the name of a route group. */
  route: string;
  repository: string | undefined;
  status: number;
  /** True when the client went away before the answer was whole. */
  broken: boolean;
  user: string | undefined;
  remote: string | undefined;
  agent: string | undefined;
  bytesIn: number;
  bytesOut: number;
  milliseconds: number;
  /** What the client was told when it was refused. */
  refusal?: string | undefined;
  /** For 5xx: what went wrong, for the log. */
  error: unknown;
}

export type ServerEvent = ContentEvent | RequestEvent;

/** A sink must not throw and must not wait. */
export type EventSink = (event: ServerEvent) => void;

/** Pages beside the registry's own: `/`, `/metrics`, `/token`, `/healthz`. Asked in order, before `/v2/`. */
export interface RouteGroup {
  name: string;
  /** True when this path, without query, is the group's. */
  matches(path: string): boolean;
  /** Sends the answer; may throw a Refusal. Nobody was identified: a group that wants to know who asks does it by itself. */
  handle(exchange: Exchange, context: AppContext): void | Promise<void>;
}

/** A place to bring content from that is not here. It stores what it brings, and the routes then look again. */
export interface Upstream {
  /** Before a manifest is looked up; `tag` also when it is here, so that it can be revalidated. True: look again. */
  manifest(question: { repository: string; tag?: string; digest?: Digest; user: User | undefined }): Promise<void>;
  /**
   * When the repository does not have the blob: brings it. It may answer the request itself while it stores, and then gives
   * `answered`.
   */
  blob(question: { repository: string; digest: Digest; exchange: Exchange }): Promise<'answered' | 'here' | 'unknown'>;
}
