export interface BreakerPolicy {
  /** Opens when at least this share of the events failed, from above 0 to 1. */
  readonly failureShare: number;
  /** Never opens on fewer events than this. */
  readonly minimum: number;
  /** How far back it counts. */
  readonly windowMs: number;
  /** How long it stays open before it lets one event through as a trial. */
  readonly pauseMs: number;
}

export const defaultBreaker: BreakerPolicy = { failureShare: 0.5, minimum: 20, windowMs: 60_000, pauseMs: 30_000 };

/**
 * A whole policy: what is not given is as by default.
 *
 * @throws {TypeError} for a number that makes no sense.
 */
export function breakerPolicy(policy: Partial<BreakerPolicy> = {}): BreakerPolicy {
  const full = { ...defaultBreaker, ...policy };
  if (!(full.failureShare > 0 && full.failureShare <= 1)) {
    throw new TypeError(`breaker.failureShare is ${full.failureShare}; use a share above 0, up to 1.`);
  }
  for (const name of ["minimum", "windowMs", "pauseMs"] as const) {
    if (!(full[name] >= 1)) throw new TypeError(`breaker.${name} is ${full[name]}; use a number from 1.`);
  }
  return full;
}

export type BreakerState = "closed" | "open" | "half-open";

const slices = 12;

/**
 * A circuit breaker: pauses a consumer whose handler fails too often, so that an outage behind it does not use up the
 * attempts of every event. After a pause one event is a trial: it closes the breaker again, or opens it for another pause.
 */
export class Breaker {
  #state: BreakerState = "closed";
  #openUntil = 0;
  #trial = false;
  #counts: { readonly slice: number; handled: number; failed: number }[] = [];

  /** @param onChange is told each change of state. */
  constructor(
    readonly policy: BreakerPolicy,
    readonly onChange: (state: BreakerState) => void = () => {},
  ) {}

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether an event may be handled now: 0 if so, else in how many milliseconds it is worth asking again. */
  waitMs(now: number): number {
    if (this.#state === "open" && now >= this.#openUntil) this.#become("half-open");
    if (this.#state === "open") return this.#openUntil - now;
    return this.#state === "half-open" && this.#trial ? Number.POSITIVE_INFINITY : 0;
  }

  /** Tells that an event goes to the handler. */
  begin(): void {
    if (this.#state === "half-open") this.#trial = true;
  }

  /** Tells that the event did not reach the handler after all: it was done already. */
  skip(): void {
    this.#trial = false;
  }

  /** Tells how the handler did. */
  end(failed: boolean, now: number): void {
    if (this.#state === "half-open") {
      this.#trial = false;
      if (failed) this.#open(now);
      else this.#close();
    } else if (this.#state === "closed") {
      this.#count(failed, now);
      if (failed && this.#isTooMuch()) this.#open(now);
    }
  }

  #count(failed: boolean, now: number): void {
    const slice = Math.floor((now * slices) / this.policy.windowMs);
    let current = this.#counts.at(-1);
    if (current?.slice !== slice) {
      this.#counts = this.#counts.filter((count) => count.slice > slice - slices);
      current = { slice, handled: 0, failed: 0 };
      this.#counts.push(current);
    }
    current[failed ? "failed" : "handled"] += 1;
  }

  #isTooMuch(): boolean {
    const failed = this.#counts.reduce((sum, count) => sum + count.failed, 0);
    const all = this.#counts.reduce((sum, count) => sum + count.handled, failed);
    return all >= this.policy.minimum && failed >= all * this.policy.failureShare;
  }

  #open(now: number): void {
    this.#openUntil = now + this.policy.pauseMs;
    this.#counts = [];
    this.#become("open");
  }

  #close(): void {
    this.#become("closed");
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.onChange(state);
  }
}
