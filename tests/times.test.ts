// The times that people give to replays.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isUtcTime, parseTime, utcTimeIn } from "../src/schema/time";

describe("a time", () => {
  test.each([
    ["2026-11-01", "2026-11-01T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2026-11-01T08:00", "2026-11-01T08:00:00.000Z"],
    ["2026-11-01 08:00:01.5", "2026-11-01T08:00:01.500Z"],
    [" 2026-11-01T08:00:00.123456Z ", "2026-11-01T08:00:00.123Z"],
    ["2026-11-01t08:00:00z", "2026-11-01T08:00:00.000Z"],
    ["2026-11-01T08:00:00+02:00", "2026-11-01T06:00:00.000Z"],
    ["2026-11-01T08:00:00-0330", "2026-11-01T11:30:00.000Z"],
  ])("%j is %s where nothing else is said", (text, time) => {
    expect(parseTime(text, "utc")?.toISOString()).toBe(time);
  });

  test.each([
    "",
    "1",
    "yesterday",
    "2026",
    "2026-11",
    "2026-2-3",
    "2026-02-29",
    "2026-02-30",
    "2026-11-31",
    "2026-13-01",
    "2026-00-01",
    "2026-11-01T25:00",
    "2026-11-01T08:60",
    "2026-11-01T08",
    "2026-11-01Z",
    "2026-11-01T08:00:00+25:99",
    "01.11.2026",
    "2026-11-01T08:00:00Z; DROP",
    "9999-12-31T23:59:59-01:00",
    "0000-01-01T00:00:00+01:00",
  ])("%j is none", (text) => {
    expect([parseTime(text, "utc"), parseTime(text, "local")]).toEqual([undefined, undefined]);
  });

  test("a day is that of the machine where that is asked for", () => {
    expect(parseTime("2026-11-01", "local")).toEqual(new Date(2026, 10, 1));
    expect(parseTime("2026-07-01 12:30", "local")).toEqual(new Date(2026, 6, 1, 12, 30));
  });

  test("every time that this program writes can be given back", () => {
    const dates = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });
    fc.assert(
      fc.property(dates, fc.constantFrom("utc" as const, "local" as const), (date, zone) => {
        expect(parseTime(date.toISOString(), zone)).toEqual(date);
      }),
    );
  });
});

describe("a time of a message: RFC 3339 in UTC", () => {
  test.each([
    "2026-02-18T18:23:45.123Z",
    "2026-02-18T18:23:45Z",
    "2026-02-18t18:23:45z",
    "2026-02-18T18:23:45.123456789Z",
    "2026-02-18T18:23:45+00:00",
    "2026-02-18T18:23:45-00:00",
    "0000-01-01T00:00:00Z",
  ])("%j is one", (text) => {
    expect(isUtcTime(text)).toBe(true);
  });

  test.each([
    "",
    "yesterday",
    "2026-02-18",
    "2026-02-18T18:23Z",
    "2026-02-18T18:23:45",
    "2026-02-18 18:23:45Z",
    " 2026-02-18T18:23:45Z",
    "2026-02-18T18:23:45Z\n",
    "2026-02-18T18:23:45+0000",
    "2026-02-18T18:23:45+01:00",
    "2026-02-30T18:23:45Z",
    "2026-02-18T24:00:00Z",
    "2026-02-18T18:60:00Z",
    "2026-02-18T18:23:60Z",
    "2026-02-18T18:23:45.Z",
    "2026-02-18T18:23:45.123456789012345678901Z",
    "+002026-02-18T18:23:45Z",
    "2026-02-18T18:23:45Z junk",
  ])("%j is none", (text) => {
    expect(isUtcTime(text)).toBe(false);
  });

  test("so is every time that this program writes, and each is a time that can be given back", () => {
    const dates = fc.date({ min: new Date("0000-01-01T00:00:00.000Z"), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => isUtcTime(date.toISOString())));
    fc.assert(fc.property(fc.string(), (text) => !isUtcTime(text) || parseTime(text, "local") !== undefined));
  });
});

test("an invalid stored time is shown as unknown, as documented", () => {
  expect(["2026-02-18T18:23:45.123Z", "", "yesterday", "2026-02-30T00:00:00Z", null, 5].map(utcTimeIn)).toEqual([
    "2026-02-18T18:23:45.123Z",
    ...Array.from({ length: 5 }, () => null),
  ]);
});
