/** When and how often a failed event is retried. */
export interface RetryPolicy {
  /** Maximum number of attempts, including the first, 1 to 1,000. Default: 5. */
  readonly attempts: number;
  /** Delay after the first failed attempt, in milliseconds, up to a day. Default: 1,000. */
  readonly firstDelayMs: number;
  /** Factor between one delay and the next, 1 to 100. Default: 2. */
  readonly factor: number;
  /** Maximum delay, in milliseconds, from `firstDelayMs` up to a day. Default: 60,000. */
  readonly longestDelayMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, firstDelayMs: 1000, factor: 2, longestDelayMs: 60_000 };

const dayMs = 86_400_000;

/** Factors that vary a delay. Each distinct delay needs a queue in the broker, so there are only a few. */
const jitter = [0.75, 1, 1.25];

/** Returns the delay after the n-th failed attempt, in whole milliseconds. It never exceeds `longestDelayMs`. */
export function delayMs(failures: number, policy: RetryPolicy, chance: number): number {
  const step = jitter[Math.min(jitter.length - 1, Math.floor(chance * jitter.length))] as number;
  const delay = policy.firstDelayMs * policy.factor ** (failures - 1) * step;
  return Math.max(1, Math.floor(Math.min(Math.round(delay), policy.longestDelayMs)));
}

/** Up to each limit, delays are multiples of the step. This gives 80 distinct delays, and so 80 queues at most. */
const ladder = [
  { limitMs: 1000, stepMs: 100 },
  { limitMs: 10_000, stepMs: 1000 },
  { limitMs: 60_000, stepMs: 5000 },
  { limitMs: 600_000, stepMs: 30_000 },
  { limitMs: 3_600_000, stepMs: 300_000 },
  { limitMs: dayMs, stepMs: 3_600_000 },
];

/** Rounds the delay that a handler asked for up to a multiple of its step in the ladder. Limits it to one day. */
export function askedDelayMs(asked: number): number {
  const wanted = Math.min(dayMs, Math.max(1, asked));
  const { stepMs } = ladder.find(({ limitMs }) => wanted <= limitMs) ?? (ladder.at(-1) as (typeof ladder)[number]);
  return Math.ceil(wanted / stepMs) * stepMs;
}

/**
 * Returns a complete policy, with defaults for omitted fields.
 *
 * @throws {TypeError} naming the value that is out of range.
 */
export function retryPolicy(policy: Partial<RetryPolicy> = {}): RetryPolicy {
  const full = { ...defaultRetry, ...policy };
  const check = (name: keyof RetryPolicy, good: boolean, expected: string) => {
    if (!good) throw new TypeError(`retry.${name} is ${full[name]}; use ${expected}.`);
  };
  check("attempts", Number.isInteger(full.attempts) && full.attempts >= 1 && full.attempts <= 1000, "a whole number from 1 to 1000");
  check("firstDelayMs", full.firstDelayMs >= 1 && full.firstDelayMs <= dayMs, "milliseconds from 1 to 86,400,000 (a day)");
  check("factor", full.factor >= 1 && full.factor <= 100, "a number from 1 to 100");
  check(
    "longestDelayMs",
    full.longestDelayMs >= full.firstDelayMs && full.longestDelayMs <= dayMs,
    "milliseconds from firstDelayMs to 86,400,000 (a day)",
  );
  return full;
}
