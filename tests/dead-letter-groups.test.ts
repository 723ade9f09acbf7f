// Dead letters in groups of the same error, and what a selection includes.
import { expect, test } from "bun:test";
import { groupOf } from "../src/delivery/dead-group";
import { DeadGroups } from "../src/delivery/dead-groups";
import { type DeadLetter, isSelected } from "../src/delivery/dead-letters";

const letter = (about: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ id: "one", type: "item.created", reason: "attempts-exhausted", error: "Error: no", stack: null, attempts: 5 },
  ...{ firstFailure: "2026-02-18T18:00:00.000Z", lastFailure: "2026-02-18T18:05:00.000Z", body: {}, bodyEncoding: "json", bodyBytes: 2 },
  ...about,
});
const group = (error: string, reason = "rejected") => groupOf({ error, reason });

test.each([
  ["Error: order 17 is not paid", "Error: order 4711 is not paid", true],
  ["timeout after 1.5 s", "timeout after 30 s", true],
  ["No customer 0198c0de-0000-7000-8000-000000000001", "No customer 0198c0de-ffff-7fff-8fff-fffffffffff2", true],
  ['Unknown sku "A-1"', 'Unknown sku "B"', true],
  ["Failed\nat line 1", "Failed\nat line 2, quite differently", true],
  ["503 Service Unavailable", "503 Gateway Timeout", false],
  ["fade", "deed", false],
  ["", "", true],
])("%j and %j are of one group: %p", (one, other, same) => {
  expect(group(one) === group(other)).toBe(same);
  expect(group(one)).toMatch(/^[0-9a-z]{1,16}$/);
});

test("another reason is another group", () => {
  expect(group("no", "rejected")).not.toBe(group("no", "invalid"));
});

test("a group has the number, the times and the newest of its dead letters; the largest is first", () => {
  const groups = new DeadGroups();
  groups.add(letter({ error: "other", firstFailure: null, lastFailure: null }));
  groups.add(letter({ id: "a", error: "no answer in 3 s\nstack" }));
  groups.add(letter({ id: "b", error: "no answer in 9 s", type: "item.deleted", firstFailure: "2026-02-18T17:00:00.000Z" }));
  groups.add(letter({ id: "c", error: "no answer in 5 s", type: null, lastFailure: "2026-02-18T19:00:00.000Z" }));
  expect([groups.count, groups.largest(1)]).toEqual([
    4,
    [
      {
        ...{ group: groupOf(letter({ error: "no answer in 1 s" })), error: "no answer in 5 s", reason: "attempts-exhausted", count: 3 },
        ...{ types: ["item.created", "item.deleted"], newest: "c" },
        ...{ firstFailure: "2026-02-18T17:00:00.000Z", lastFailure: "2026-02-18T19:00:00.000Z" },
      },
    ],
  ]);
  expect(groups.largest(9)[1]).toMatchObject({ error: "other", firstFailure: null, lastFailure: null });
});

test.each([
  [{}, true],
  [{ group: groupOf(letter()) }, true],
  [{ group: "none" }, false],
  [{ search: "ERROR: NO" }, true],
  [{ search: "in the body" }, true],
  [{ search: "nowhere" }, false],
  [{ search: "warehouse.ts" }, true],
  [{ from: "2026-02-18T18:05:00.000Z" }, true],
  [{ to: "2026-02-18T18:05:00.000Z" }, false],
  [{ from: "2026-02-18T18:00:00.000Z", to: "2026-02-18T18:05:00.001Z", reason: "attempts-exhausted" }, true],
  [{ reason: "rejected", search: "no" }, false],
])("%j includes it: %p", (selection, expected) => {
  expect(isSelected(selection, { ...letter({ stack: "at warehouse.ts:3" }), text: () => '{"text":"in the Body"}' })).toBe(expected);
});

test("one without a time is in no part of time", () => {
  expect(isSelected({ from: "2026-02-18T18:05:00.000Z" }, { ...letter({ lastFailure: null }), text: () => "" })).toBe(false);
});
