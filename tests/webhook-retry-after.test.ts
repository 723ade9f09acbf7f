import { expect, test } from "bun:test";
import fc from "fast-check";
import { retryAfterMs } from "../src/webhook/retry-after";

const now = Date.parse("1994-11-06T08:49:07Z");

test("seconds", () => {
  expect(retryAfterMs("120", now)).toBe(120_000);
  expect(retryAfterMs(" 0 ", now)).toBe(0);
});

test("a date in any of the three forms of RFC 9110, in GMT wherever this runs", () => {
  for (const date of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]) {
    expect(retryAfterMs(date, now)).toBe(30_000);
  }
});

test("a date that is past is now", () => {
  expect(retryAfterMs("Sun, 06 Nov 1994 08:49:00 GMT", now)).toBe(0);
});

const malformed = [
  "Sun, 31 Feb 2027 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 junk GMT",
  "Sun, 06 Nov 1994 08:49:37 +0200 GMT",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 06 nov 1994 24:49:37 GMT",
  "Sunny 2026-11-01 GMT",
  "Sun Nov 6 08:49:37 1994",
];

test("a year of two digits is at most 50 years ahead", () => {
  expect(retryAfterMs("Sunday, 06-Nov-44 08:49:07 GMT", now)).toBe(Date.parse("2044-11-06T08:49:07Z") - now);
  expect(retryAfterMs("Monday, 07-Nov-44 08:49:08 GMT", now)).toBe(0);
});

test("anything else is as if it were not there", () => {
  for (const value of [
    undefined,
    "",
    "soon",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "12 s",
    "Sun",
    "Sunday",
    "2026-01-01",
    "12345678901",
    ...malformed,
  ]) {
    expect([value, retryAfterMs(value, now)]).toEqual([value, undefined]);
  }
});

test("no text makes it answer anything but a time from now on, or none", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `Sun${text}`),
      ),
      (value) => {
        const ms = retryAfterMs(value, now);
        expect(ms === undefined || ms >= 0).toBe(true);
      },
    ),
  );
});
