// fast-check arbitraries for events and records that are valid, however unusual.
import fc from "fast-check";
import type { Event } from "../../src/schema/event";
import { changes } from "../../src/schema/resource";

/**
 * Text in any script, with quotes, control characters and lone surrogates. `fc.string({ unit: "binary" })` is avoided because it takes a
 * second to initialize.
 */
export const anyText = (options: { minLength?: number; maxLength: number }) =>
  fc.oneof(
    fc.string({ unit: "grapheme-ascii", ...options }),
    fc.array(fc.integer({ min: 0, max: 0x10ffff }), options).map((points) => String.fromCodePoint(...points)),
    fc.array(fc.integer({ min: 0, max: 0xffff }), options).map((units) => String.fromCharCode(...units)),
  );

export const timestamp = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Text that is stored and sent unchanged: without NUL and lone surrogates. */
const storedText = (options: { minLength?: number; maxLength: number }) =>
  anyText(options).map((text) => text.toWellFormed().replaceAll("\0", "x"));

/** Fields of an item that a client may set, with texts short enough to generate quickly. JSON has no -0. */
export const itemFields = fc.record({
  name: storedText({ minLength: 1, maxLength: 40 }).filter((text) => text.length <= 200 && /\S/.test(text)),
  description: fc.option(storedText({ maxLength: 80 }).filter((text) => text.length <= 2000)),
  price: fc.option(fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }).map((price) => price + 0)),
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
