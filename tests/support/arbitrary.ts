// What fast-check makes up: events and records that are valid, however odd.
import fc from "fast-check";
import type { Event } from "../../src/domain/event";
import { changes } from "../../src/domain/resource";

/** Text in any script, with quotes, control characters and lone surrogates. */
export const anyText = (options: { minLength?: number; maxLength: number }) =>
  fc.oneof(
    fc.string({ unit: "grapheme", ...options }),
    fc.string({ unit: "binary", ...options }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), options)
      // Lone surrogates too.
      .map((units) => String.fromCharCode(...units)),
  );

export const timestamp = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** What a client may set of an item. JSON has no -0. */
export const itemFields = fc.record({
  name: anyText({ minLength: 1, maxLength: 200 }).filter((text) => text.length <= 200 && /\S/.test(text)),
  description: fc.option(anyText({ maxLength: 2000 }).filter((text) => text.length <= 2000)),
  price: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((price) => price + 0)),
});

export const itemRecord = fc
  .tuple(fc.integer({ min: 1 }), itemFields, fc.integer({ min: 1 }), timestamp, timestamp)
  .map(([id, fields, version, createdAt, updatedAt]) => ({ id, ...fields, version, createdAt, updatedAt }));

export const itemEvent: fc.Arbitrary<Event> = fc.record({
  id: fc.uuid({ version: 7 }),
  type: fc.constantFrom(...changes).map((change) => `item.${change}`),
  version: fc.constant(1),
  timestamp,
});
