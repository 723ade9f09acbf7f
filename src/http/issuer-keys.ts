import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from "jose";
import { isSecureUrl } from "../config/issuer";
import { type Log, messageOf } from "../observe/logging";
import { IssuerUnavailable } from "./refused-token";

/** Times in milliseconds. */
export interface KeyTiming {
  /** Age after which the keys are fetched again, while the known ones stay in use. */
  readonly refreshMs: number;
  /** Age after which keys are no longer used. */
  readonly expireMs: number;
  /** Minimum time between two fetches, so that tokens with unknown keys do not flood the issuer. */
  readonly pauseMs: number;
  /** Minimum time between a failed fetch and the next one. */
  readonly retryMs: number;
  /** Maximum time for one response of the issuer. */
  readonly timeoutMs: number;
}

const usual: KeyTiming = { refreshMs: 600_000, expireMs: 3_600_000, pauseMs: 30_000, retryMs: 1000, timeoutMs: 5000 };

interface KnownKeys {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly fetchedAt: number;
}

/**
 * The public keys of an OpenID Connect issuer (Discovery 1.0, RFC 7517). They are fetched when needed: at first, when they are
 * old, and when a token names an unknown key, which is how an issuer rotates its keys.
 */
export class IssuerKeys {
  #known: KnownKeys | undefined;
  #fetching: Promise<void> | undefined;
  #mayFetchAt = Number.NEGATIVE_INFINITY;
  /** Why the last fetch failed. Undefined if it did not. */
  #trouble: string | undefined;
  readonly #timing: KeyTiming;

  constructor(
    readonly issuer: string,
    readonly log: Pick<Log, "info" | "warn">,
    timing: Partial<KeyTiming> = {},
  ) {
    this.#timing = { ...usual, ...timing };
  }

  /**
   * Resolves with the key that signed a token.
   *
   * @throws {IssuerUnavailable} if the keys cannot be fetched.
   * @throws {errors.JWKSNoMatchingKey} if the issuer has no such key.
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (this.inUse === undefined) await this.refresh();
    try {
      return await this.#current.find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.refresh();
      // The key may be a new one, which cannot be known without the issuer.
      if (this.#trouble !== undefined) throw new IssuerUnavailable(this.#trouble);
      return this.#current.find(header);
    }
  }

  /** Identifies the keys in use. Undefined if there are none. Fetches them again if they are old. */
  get inUse(): number | undefined {
    const fetchedAt = this.#known?.fetchedAt ?? Number.NEGATIVE_INFINITY;
    const age = performance.now() - fetchedAt;
    if (age >= this.#timing.expireMs) return undefined;
    if (age >= this.#timing.refreshMs) void this.refresh();
    return fetchedAt;
  }

  /** Fetches the keys, unless that was done a moment ago. Resolves also if it fails. */
  refresh(): Promise<void> {
    if (!this.#fetching && performance.now() < this.#mayFetchAt) return Promise.resolve();
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  get #current(): KnownKeys {
    const known = this.#known;
    if (known && performance.now() - known.fetchedAt < this.#timing.expireMs) return known;
    throw new IssuerUnavailable(this.#trouble);
  }

  async #fetch(): Promise<void> {
    try {
      const find = createLocalJWKSet(await this.#keySet());
      this.#known = { find, fetchedAt: performance.now() };
      if (this.#trouble !== undefined) this.log.info({ issuer: this.issuer }, "AUTH_ISSUER is reachable again");
      this.#trouble = undefined;
      this.#mayFetchAt = performance.now() + this.#timing.pauseMs;
    } catch (error) {
      const trouble = messageOf(error);
      if (this.#trouble === undefined) {
        this.log.warn({ issuer: this.issuer, error: trouble }, "Cannot fetch the keys of AUTH_ISSUER; retrying with the next requests");
      }
      this.#trouble = trouble;
      this.#mayFetchAt = performance.now() + this.#timing.retryMs;
    }
  }

  async #keySet(): Promise<JSONWebKeySet> {
    const url = `${this.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const { issuer, jwks_uri: keys } = Object(await this.#json(url)) as Partial<Record<"issuer" | "jwks_uri", unknown>>;
    if (issuer !== this.issuer) throw new Error(`${url} is of the issuer ${JSON.stringify(issuer)}; set AUTH_ISSUER to exactly that.`);
    if (typeof keys !== "string" || !isSecureUrl(keys)) throw new Error(`${url} has no https:// URL in jwks_uri.`);
    return (await this.#json(keys)) as JSONWebKeySet;
  }

  async #json(url: string): Promise<unknown> {
    // A redirect could lead to another issuer, or away from TLS.
    const response = await fetch(url, {
      redirect: "error",
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(this.#timing.timeoutMs),
    });
    if (!response.ok) throw new Error(`${url} responded with status ${response.status}.`);
    return response.json();
  }
}
