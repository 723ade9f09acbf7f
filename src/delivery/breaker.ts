export interface BreakerPolicy {
  /** Share of failed events in the window that opens the breaker, above 0 and at most 1. Default: 0.5. */
  readonly failureShare: number;
  /** Minimum number of events in the window before the breaker may open. Default: 20. */
  readonly minimum: number;
  /** Window in which events are counted, in milliseconds. Default: 60,000. */
  readonly windowMs: number;
  /** Time the breaker stays open before it lets one event through as a trial, in milliseconds. Default: 30,000. */
  readonly pauseMs: number;
}

export const defaultBreaker: BreakerPolicy = { failureShare: 0.5, minimum: 20, windowMs: 60_000, pauseMs: 30_000 };

/**
 * Returns a complete policy, with defaults for omitted fields.
 *
 * @throws {TypeError} if a value is out of range.
 */
export function breakerPolicy(policy: Partial<BreakerPolicy> = {}): BreakerPolicy {
  const full = { ...defaultBreaker, ...policy };
  if (!(full.failureShare > 0 && full.failureShare <= 1)) {
    throw new TypeError(`breaker.failureShare is ${full.failureShare}; use a number greater than 0 and at most 1.`);
  }
  for (const name of ["minimum", "windowMs", "pauseMs"] as const) {
    if (!(full[name] >= 1)) throw new TypeError(`breaker.${name} is ${full[name]}; use a number of 1 or more.`);
  }
  return full;
}

export type BreakerState = "closed" | "open" | "half-open";

/** Number of slices of the window. Counts expire one slice at a time. */
const slices = 12;

/**
 * Circuit breaker that pauses a consumer whose handler fails too often. An outage behind the handler then does not use up
 * the attempts of every event. After a pause, one event is a trial: it closes the breaker, or opens it for another pause.
 */
export class Breaker {
  #state: BreakerState = "closed";
  #openUntil = 0;
  #trial = false;
  #counts: { readonly slice: number; handled: number; failed: number }[] = [];

  /** @param onChange called on each change of state. */
  constructor(
    readonly policy: BreakerPolicy,
    readonly onChange: (state: BreakerState) => void = () => {},
  ) {}

  get state(): BreakerState {
    return this.#state;
  }

  /**
   * Returns 0 if an event may be handled now, else the number of milliseconds to wait before asking again. Returns Infinity
   * while the trial event is being handled.
   */
  waitMs(now: number): number {
    if (this.#state === "open" && now >= this.#openUntil) this.#become("half-open");
    if (this.#state === "open") return this.#openUntil - now;
    return this.#state === "half-open" && this.#trial ? Number.POSITIVE_INFINITY : 0;
  }

  /** Records that an event goes to the handler. */
  begin(): void {
    if (this.#state === "half-open") this.#trial = true;
  }

  /** Records that the event did not reach the handler because it was a duplicate. */
  skip(): void {
    this.#trial = false;
  }

  /** Records the result of the handler. */
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
