import { expect, test } from "bun:test";
import fc from "fast-check";
import { retryAfterMs } from "../consumers/webhook/retry-after";

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

test("anything else is as if it were not there", () => {
  for (const value of [undefined, "", "soon", "-1", "1.5", "1e3", "0x10", "12 s", "Sun", "Sunday", "2026-01-01", "12345678901"]) {
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
