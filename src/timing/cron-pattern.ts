import { Cron } from "croner";

/** A pattern of cron in a time zone: when something happens again and again. Times are milliseconds since 1970. */
export class CronPattern {
  readonly #cron: Cron;

  /**
   * @param pattern five parts, such as `0 9 * * 1`, or a name such as `@daily`.
   * @param timeZone name of an IANA time zone, such as `Europe/London`.
   * @throws {TypeError} if the pattern or the zone is not valid, or the pattern has no time in it. The message says what would be right.
   */
  constructor(
    readonly pattern: string,
    readonly timeZone: string,
  ) {
    if (!isTimeZone(timeZone))
      throw new TypeError(`timeZone is "${timeZone}"; use the name of a time zone, such as "Europe/London" or "UTC".`);
    try {
      if (!isInForm(pattern)) throw new TypeError("it does not have five parts");
      // Times at which the clocks skip or repeat an hour: those of lists such as "30 1,14 * * *" are one each day, as single ones are.
      this.#cron = new Cron(pattern, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });
    } catch (error) {
      const why = error instanceof Error ? error.message.replace(/^Cron\w+: /, "") : String(error);
      throw new TypeError(`schedule is "${pattern}", which is no pattern of cron (${why}). ${advice}`);
    }
    if (this.next(0) === undefined) throw new TypeError(`schedule is "${pattern}", which never comes: there is no such day. ${advice}`);
  }

  /** Returns the first time after another one. Undefined if there is none until the year 9999. */
  next(after: number): number | undefined {
    return this.#cron.nextRun(new Date(after))?.getTime();
  }

  /** Returns the last time up to another one, with that. Undefined if there is none. */
  latest(upTo: number): number | undefined {
    return this.#cron.previousRuns(1, new Date(upTo + 1))[0]?.getTime();
  }
}

const advice =
  'Use five parts: minute, hour, day of the month, month and day of the week, such as "0 9 * * 1-5" for 9:00 from Monday to Friday, or "@daily".';

function isInForm(pattern: string): boolean {
  return typeof pattern === "string" && (/^@[a-z]+$/i.test(pattern.trim()) || pattern.trim().split(/\s+/).length === 5);
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "" && typeof timeZone === "string";
  } catch {
    return false;
  }
}
