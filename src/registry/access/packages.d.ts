// What is used of two packages. Both are loaded when a registry with users runs, and no sooner.

declare module 'bcryptjs' {
  export function hash(password: string, cost: number): Promise<string>;
}

declare module 'jose' {
  import type { KeyObject } from 'node:crypto';

  export interface JWTPayload {
    iss?: string;
    sub?: string;
    exp?: number;
    iat?: number;
    [claim: string]: unknown;
  }
  interface JWTVerifyOptions {
    issuer: string;
    audience: string | string[];
    algorithms: string[];
    clockTolerance: number;
    requiredClaims: string[];
    typ?: string;
  }
  type KeyFinder = (header: object, token: object) => Promise<object>;
  export function jwtVerify(token: string, key: KeyObject | KeyFinder, options: JWTVerifyOptions): Promise<{ payload: JWTPayload }>;
  export function createLocalJWKSet(keys: { keys: object[] }): KeyFinder;
  export function decodeJwt(token: string): JWTPayload;
  export class SignJWT {
    constructor(payload: JWTPayload);
    setProtectedHeader(header: { alg: string; typ?: string; kid?: string }): this;
    setIssuer(issuer: string): this;
    setAudience(audience: string): this;
    setSubject(subject: string): this;
    setIssuedAt(seconds: number): this;
    setNotBefore(seconds: number): this;
    setExpirationTime(seconds: number): this;
    setJti(id: string): this;
    sign(key: KeyObject): Promise<string>;
  }
}
