import { expect, test } from "bun:test";
import fc from "fast-check";
import { ConfirmedPrefix } from "../src/delivery/confirmed-prefix";

test("a confirm out of order moves nothing; the one that closes the gap moves to the end of the prefix", () => {
  const prefix = new ConfirmedPrefix();
  const [first, second, third] = [5, 6, 9].map((position) => prefix.send(position));
  expect(second?.()).toBeUndefined();
  expect(first?.()).toBe(6);
  expect(third?.()).toBe(9);
});

test("property: after any confirm, in any order, the prefix ends before the first position that is not confirmed", () => {
  const positions = fc
    .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 50 })
    .map((all) => all.sort((a, b) => a - b));
  const order = positions.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: 0, maxLength: all.length })));
  fc.assert(
    fc.property(order, ([all, confirmed]) => {
      const prefix = new ConfirmedPrefix();
      const confirms = new Map(all.map((position) => [position, prefix.send(position)]));
      const done = new Set<number>();
      let end: number | undefined;
      for (const position of confirmed) {
        const moved = confirms.get(position)?.();
        done.add(position);
        const gap = all.findIndex((each) => !done.has(each));
        const expected = gap === -1 ? all.at(-1) : all[gap - 1];
        expect(moved).toBe(expected === end ? undefined : expected);
        end = expected;
      }
    }),
  );
});
