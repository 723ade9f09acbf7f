// When a pattern of cron comes: also in the nights in which the clocks change, and on days that are rare or never come.
import { expect, test } from "bun:test";
import { CronPattern } from "../src/timing/cron-pattern";

/** Returns the times of a pattern after a time, up to another, found forward, after checking that they are the same backward. */
function times(pattern: string, zone: string, after: string, upTo: string): string[] {
  const cron = new CronPattern(pattern, zone);
  const found: number[] = [];
  for (let at = cron.next(Date.parse(after)); at !== undefined && at <= Date.parse(upTo); at = cron.next(at)) found.push(at);
  const back: number[] = [];
  for (let at = cron.latest(Date.parse(upTo)); at !== undefined && at > Date.parse(after); at = cron.latest(at - 1)) back.unshift(at);
  expect(back).toEqual(found);
  return found.map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, "Z"));
}

test("a time that the clocks skip in spring comes once, when they have", () => {
  const spring = ["2026-03-28T12:00Z", "2026-03-30T12:00Z"] as const;
  expect(times("30 1 * * *", "Europe/London", ...spring)).toEqual(["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
  expect(times("30 1,14 * * *", "Europe/London", ...spring)).toEqual([
    "2026-03-28T14:30Z",
    "2026-03-29T01:00Z",
    "2026-03-29T13:30Z",
    "2026-03-30T00:30Z",
  ]);
  expect(times("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", "2026-03-09T12:00Z")).toEqual([
    "2026-03-08T07:00Z",
    "2026-03-09T06:30Z",
  ]);
  // Midnight does not exist in Beirut on that day.
  expect(times("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", "2026-03-30T12:00Z")).toEqual(["2026-03-28T22:00Z", "2026-03-29T21:00Z"]);
});

test("a time that comes twice in autumn is one, the first", () => {
  const autumn = ["2026-10-24T12:00Z", "2026-10-26T12:00Z"] as const;
  expect(times("30 1 * * *", "Europe/London", ...autumn)).toEqual(["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
  expect(times("30 1,14 * * *", "Europe/London", ...autumn)).toEqual([
    "2026-10-24T13:30Z",
    "2026-10-25T00:30Z",
    "2026-10-25T14:30Z",
    "2026-10-26T01:30Z",
  ]);
  // Half an hour only.
  expect(times("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", "2026-04-05T18:00Z")).toEqual([
    "2026-04-04T14:45Z",
    "2026-04-05T15:15Z",
  ]);
});

test("what comes at intervals goes on through both nights", () => {
  expect(times("*/30 * * * *", "Europe/London", "2026-10-25T00:00Z", "2026-10-25T02:00Z")).toEqual([
    "2026-10-25T00:30Z",
    "2026-10-25T01:00Z",
    "2026-10-25T01:30Z",
    "2026-10-25T02:00Z",
  ]);
  expect(times("*/30 * * * *", "Europe/London", "2026-03-29T00:00Z", "2026-03-29T01:30Z")).toHaveLength(3);
});

test("rare days, names, and the exact time", () => {
  expect(times("0 9 29 2 *", "UTC", "2026-01-01T00:00Z", "2033-01-01T00:00Z")).toEqual(["2028-02-29T09:00Z", "2032-02-29T09:00Z"]);
  expect(times("@daily", "UTC", "2026-01-01T00:00Z", "2026-01-02T00:00Z")).toEqual(["2026-01-02T00:00Z"]);
  expect(times("0 9 * * MON", "UTC", "2026-11-29T00:00Z", "2026-12-01T00:00Z")).toEqual(["2026-11-30T09:00Z"]);
  const cron = new CronPattern("0 9 * * *", "UTC");
  const nine = Date.UTC(2026, 0, 1, 9);
  expect(cron.latest(nine)).toBe(nine);
  expect(cron.latest(nine - 1)).toBe(nine - 86_400_000);
  expect(cron.next(nine)).toBe(nine + 86_400_000);
  expect(cron.next(nine - 1)).toBe(nine);
});

test.each([
  ["0 25 * * *", "UTC", /no pattern of cron \(Invalid value for hour: 25\)\. Use five parts/],
  ["0 0 9 * * 1", "UTC", /does not have five parts/],
  ["every day", "UTC", /does not have five parts/],
  ["", "UTC", /does not have five parts/],
  ["2026-01-01T00:00:00", "UTC", /does not have five parts/],
  ["@reboot", "UTC", /no pattern of cron/],
  ["0 0 30 2 *", "UTC", /never comes: there is no such day/],
  ["0 9 * * 1", "Europe/Londn", /timeZone is "Europe\/Londn"; use the name of a time zone, such as "Europe\/London"/],
])("%p in %p is refused with what would be right", (pattern, zone, message) => {
  expect(() => new CronPattern(pattern, zone)).toThrow(message);
});
