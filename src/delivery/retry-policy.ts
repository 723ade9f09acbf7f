/** How often and when a failed event is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  /** Each delay is the one before times this. */
  readonly factor: number;
  readonly longestDelayMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, firstDelayMs: 1000, factor: 2, longestDelayMs: 60_000 };

const dayMs = 86_400_000;

/** Every distinct delay is a queue in the broker, so the jitter has a few steps and not a continuum. */
const jitter = [0.75, 1, 1.25];

/** The delay after the n-th failed attempt, in whole milliseconds; never above the policy's longest. */
export function delayMs(failures: number, policy: RetryPolicy, chance: number): number {
  const step = jitter[Math.min(jitter.length - 1, Math.floor(chance * jitter.length))] as number;
  const delay = policy.firstDelayMs * policy.factor ** (failures - 1) * step;
  return Math.max(1, Math.floor(Math.min(Math.round(delay), policy.longestDelayMs)));
}

/** Up to each limit, delays are multiples of the step: 80 distinct ones in all, and so as many queues at the most. */
const ladder = [
  { limitMs: 1000, stepMs: 100 },
  { limitMs: 10_000, stepMs: 1000 },
  { limitMs: 60_000, stepMs: 5000 },
  { limitMs: 600_000, stepMs: 30_000 },
  { limitMs: 3_600_000, stepMs: 300_000 },
  { limitMs: dayMs, stepMs: 3_600_000 },
];

/** Rounds a delay that a handler asked for up to one of a few dozen; at most a day. */
export function askedDelayMs(asked: number): number {
  const wanted = Math.min(dayMs, Math.max(1, asked));
  const { stepMs } = ladder.find(({ limitMs }) => wanted <= limitMs) ?? (ladder.at(-1) as (typeof ladder)[number]);
  return Math.ceil(wanted / stepMs) * stepMs;
}

/** @throws {TypeError} that names the value which makes no sense. */
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
