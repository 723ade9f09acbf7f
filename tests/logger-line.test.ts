// The line that the logger prints for an event.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AnyEvent } from "warren/consumer";
import { formatEvent } from "../consumers/logger";
import { anyText } from "./support/arbitrary";

/** 18:23:45 where the test runs. */
const timestamp = new Date(2026, 1, 18, 18, 23, 45, 123).toISOString();

function event(type: string, record: unknown): AnyEvent {
  return { id: "e1", type, version: 1, timestamp, [type.split(".")[0] as string]: record } as unknown as AnyEvent;
}
const item = (type: string, name = "Sample Item") => event(type, { id: 1, name });

describe("the line of an event", () => {
  test.each([
    ["item.created", "[CREATED] Item ID: 1, Name: Sample Item at 2026-02-18 18:23:45"],
    ["item.updated", "[UPDATED] Item ID: 1, Name: Sample Item at 2026-02-18 18:23:45"],
    ["item.deleted", "[DELETED] Item ID: 1, Name: Sample Item at 2026-02-18 18:23:45"],
  ])("%s", (type, line) => {
    expect(formatEvent(item(type), false)).toBe(line);
  });

  test("is in local time, with two digits everywhere", () => {
    const early = { ...item("item.created"), timestamp: new Date(2026, 0, 2, 3, 4, 5).toISOString() };
    expect(formatEvent(early, false)).toEndWith(" at 2026-01-02 03:04:05");
  });

  test("has the name of another resource in place of Item, and no name where it has none", () => {
    expect(formatEvent(event("order.created", { id: 7, customer: "Ada" }), false)).toBe("[CREATED] Order ID: 7 at 2026-02-18 18:23:45");
    expect(formatEvent(event("order_line.deleted", { id: 7, name: 5 }), false)).toBe("[DELETED] Order_line ID: 7 at 2026-02-18 18:23:45");
  });

  test.each([
    ["item.created", 32],
    ["item.updated", 33],
    ["item.deleted", 31],
  ])("%s has its colour, which ends behind the tag", (type, colour) => {
    const tag = `[${type.split(".")[1]?.toUpperCase()}]`;
    expect(formatEvent(item(type), true)).toBe(`\x1b[${colour}m${tag}\x1b[0m Item ID: 1, Name: Sample Item at 2026-02-18 18:23:45`);
  });
});

describe("what a name could do to a terminal", () => {
  test.each([
    ["a new line", "a\nb", "a\\u000ab"],
    ["a carriage return", "a\rb", "a\\u000db"],
    ["an escape", "\x1b[2J\x1b]0;title\x07", "\\u001b[2J\\u001b]0;title\\u0007"],
    ["C1 controls", "\u009b31m\u0085", "\\u009b31m\\u0085"],
    ["line separators", "\u2028\u2029", "\\u2028\\u2029"],
    ["a change of direction", "\u202egnp.exe", "\\u202egnp.exe"],
    ["isolates", "\u2066x\u2069", "\\u2066x\\u2069"],
    ["a null", "\0", "\\u0000"],
  ])("%s is shown, not done", (_, name, shown) => {
    expect(formatEvent(item("item.created", name), false)).toContain(`, Name: ${shown} at `);
  });

  test.each(["Käse", "奶酪", "🧀", "👨‍👩‍👧", "e\u0301", "עברית", "a\\u000ab"])("%s is printed as it is", (name) => {
    expect(formatEvent(item("item.created", name), false)).toContain(`, Name: ${name} at `);
  });

  test("property: whatever the name, it is one line with no control character", () => {
    fc.assert(
      fc.property(anyText({ minLength: 1, maxLength: 60 }), (name) => {
        const line = formatEvent(item("item.created", name), false);
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(line).toStartWith("[CREATED] Item ID: 1, Name: ");
        expect(line).toEndWith(" at 2026-02-18 18:23:45");
      }),
    );
  });
});
