import type { Random } from "./random";

/** Time after which a process that does not respond counts as away, in milliseconds. */
const timeoutMs = 2500;
/** Time after which a request that nobody answers is given up, in milliseconds. */
const patienceMs = 120_000;

export interface KeyedAnswer {
  /** `done`: a 2xx status. `refused`: a 4xx status, so nothing may have changed. `unknown`: never answered. */
  readonly told: "done" | "refused" | "unknown";
  /** The record in the response. Null if there is none. */
  readonly answer: { readonly id: number; readonly version: number } | null;
  readonly body: string;
}

/** A request with an Idempotency-Key, which is sent to random processes of the API until one answers it. */
export class KeyedRequest {
  readonly #headers = { "idempotency-key": crypto.randomUUID(), "content-type": "application/json" };

  /** @param onRepeat called each time before it is sent again after no or a bad response. */
  constructor(
    readonly urls: readonly [string, ...string[]],
    readonly random: Random,
    readonly onRepeat: () => void,
    readonly about: { readonly method: string; readonly path: string; readonly body?: object | undefined },
  ) {}

  /** Sends it. A second call repeats it, with its key. */
  async send(): Promise<KeyedAnswer> {
    const deadline = performance.now() + patienceMs;
    for (let attempt = 0; performance.now() < deadline; attempt += 1) {
      if (attempt > 0) {
        this.onRepeat();
        await Bun.sleep(this.random.between(20, 200));
      }
      const answered = await this.#try();
      if (answered) return answered;
    }
    return { told: "unknown", answer: null, body: "" };
  }

  /** Resolves with undefined if it has to be sent again: there was no response, or one that asks for it. */
  async #try(): Promise<KeyedAnswer | undefined> {
    const { method, path, body } = this.about;
    try {
      const response = await fetch(`${this.random.of(this.urls)}${path}`, {
        method,
        headers: this.#headers,
        // On a reused connection, fetch itself repeats a request that got no response.
        keepalive: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 500 || response.status === 429) return undefined;
      const answer = response.ok && text ? (JSON.parse(text) as { id: number; version: number }) : null;
      return { told: response.ok ? "done" : "refused", answer: answer && { id: answer.id, version: answer.version }, body: text };
    } catch {
      return undefined;
    }
  }
}
