// An OpenID Connect issuer on this machine, which signs with the library that real ones are tested against.
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { freePort } from "./net";

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Claims of a token, valid or not. `undefined` removes one that every token has. */
export type Claims = Record<string, unknown>;

export interface TestIssuer {
  readonly url: string;
  /** Paths of the requests that it has received. */
  readonly requests: readonly string[];
  /** The keys that it publishes, newest last. */
  readonly keys: readonly Key[];
  /** Signs a token with the newest key. */
  sign(claims?: Claims, options?: { readonly key?: Key; readonly header?: Record<string, unknown> }): Promise<string>;
  /** Replaces its key. */
  rotate(): Promise<void>;
  /** Replaces parts of its configuration document. */
  configure(parts: Record<string, unknown>): void;
  /** Starts to listen. */
  start(): void;
  /** Stops to listen, as if it were away. */
  stop(): Promise<void>;
}

export const audience = "the-shop";

export async function testIssuer(alg = "ES256"): Promise<TestIssuer> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const requests: string[] = [];
  let keys: Key[] = [];
  let parts: Record<string, unknown> = {};
  let server: ReturnType<typeof Bun.serve> | undefined;

  async function newKey(): Promise<Key> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = crypto.randomUUID();
    return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
  }
  const issuer: TestIssuer = {
    url,
    requests,
    get keys() {
      return keys;
    },
    async sign(claims = {}, { key = keys.at(-1) as Key, header = {} } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: url, aud: audience, sub: "ada", scope: "openid write", iat: now, exp: now + 300, ...claims };
      return new SignJWT(payload as JWTPayload)
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header })
        .sign(key.privateKey);
    },
    async rotate() {
      keys = [await newKey()];
    },
    configure(given) {
      parts = given;
    },
    start() {
      server = Bun.serve({
        hostname: "127.0.0.1",
        port,
        fetch(request) {
          const { pathname } = new URL(request.url);
          requests.push(pathname);
          if (pathname === "/keys") return Response.json({ keys: keys.map(({ jwk }) => jwk) });
          return Response.json({ issuer: url, jwks_uri: `${url}/keys`, ...parts });
        },
      });
    },
    async stop() {
      await server?.stop(true);
      server = undefined;
    },
  };
  await issuer.rotate();
  issuer.start();
  return issuer;
}
