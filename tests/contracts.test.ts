// The gate: which changes of a schema break what was published.
import { describe, expect, test } from "bun:test";
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { defineResource, Nullable, type PastVersion, pastVersion } from "warren/resource";
import { loadCatalogue } from "../src/project/resources";
import { Catalogue } from "../src/schema/catalogue";
import { compareSchemas, essenceOf, type JsonSchema } from "../src/schema/compatibility";
import { breachesOf, type Published, publishedBy, widenings } from "../src/schema/published";

const words = (...each: string[]) => Type.Union(each.map((word) => Type.Literal(word)));
const objectOf = (properties: TProperties, open = true) => Type.Object(properties, { additionalProperties: open });
const text = Type.String();
const none: string[] = [];

describe("compared schemas", () => {
  test.each<[string, TSchema, TSchema, string[]]>([
    ["the same", objectOf({ a: text }), objectOf({ a: text }), none],
    ["other descriptions", Type.String({ description: "x", default: "a" }), Type.String({ title: "y" }), none],
    ["a removed field", objectOf({ a: text, b: text }), objectOf({ a: text }), ["surprising /b was removed"]],
    [
      "a removed field of a closed object",
      objectOf({ b: text }),
      objectOf({}, false),
      ["unreadable /b was removed", "unreadable  can no longer"],
    ],
    ["a new field", objectOf({}), objectOf({ a: text }), ["unreadable /a is new and required, but events were published without it"]],
    ["a new optional field", objectOf({}), objectOf({ a: Type.Optional(text) }), none],
    ["a new optional field of a closed object", objectOf({}, false), objectOf({ a: Type.Optional(text) }, false), ["wider /a is new"]],
    ["a field that may be missing", objectOf({ a: text }), objectOf({ a: Type.Optional(text) }), ["surprising /a may now be missing"]],
    ["a field that must be there", objectOf({ a: Type.Optional(text) }), objectOf({ a: text }), ["unreadable /a is now required"]],
    ["another type", text, Type.Integer(), ["unreadable  was a string and is now an integer"]],
    ["integer to number", Type.Integer(), Type.Number(), ["surprising  was an integer and is now a number"]],
    ["number to integer", Type.Number(), Type.Integer(), ["unreadable  was a number and is now an integer"]],
    ["null allowed", text, Nullable(text), ["surprising  can now be null"]],
    ["null not allowed", Nullable(text), text, ["unreadable  can no longer be null"]],
    ["one word more", words("a", "b"), words("a", "b", "c"), ['wider  can now be "c"']],
    ["one word less", words("a", "b"), words("b"), ['unreadable  can no longer be "a"']],
    ["words to any text", words("a", "b"), text, ['wider  was "a" and is now any string', 'wider  was "b" and is now any string']],
    ["any text to words", text, words("a", "b"), ["unreadable  can no longer be a string"]],
    ["a longer text", Type.String({ maxLength: 5 }), Type.String({ maxLength: 6 }), ["wider  had maxLength 5 and now has 6"]],
    ["a shorter text", Type.String({ maxLength: 5 }), Type.String({ maxLength: 4 }), ["unreadable  had maxLength 5 and now has 4"]],
    ["a new limit", text, Type.String({ minLength: 1 }), ["unreadable  now has minLength 1"]],
    ["a lower limit", Type.Number({ minimum: 0 }), Type.Number({ minimum: -1 }), ["wider  had minimum 0 and now has -1"]],
    ["a limit that is gone", Type.Number({ minimum: 0 }), Type.Number(), ["wider  no longer has minimum 0"]],
    ["another pattern", Type.String({ pattern: "a" }), Type.String({ pattern: "b" }), ['unreadable  had pattern "a" and now has "b"']],
    ["within a list", Type.Array(objectOf({ a: text })), Type.Array(objectOf({})), ["surprising []/a was removed"]],
    ["within null or an object", Nullable(objectOf({ a: text })), Nullable(objectOf({})), ["surprising /a was removed"]],
    [
      "of two objects, the one that is meant",
      Type.Union([objectOf({ a: text }), objectOf({ b: text })]),
      Type.Union([objectOf({ b: text }), objectOf({ a: text })]),
      none,
    ],
    [
      "what is not understood",
      Type.Record(Type.String({ pattern: "^a$" }), text),
      Type.Record(Type.String({ pattern: "^b$" }), text),
      ["unreadable  has a different `patternProperties`"],
    ],
    ["anything", Type.Unknown(), text, ["unreadable  was anything and is now a string"]],
  ])("%s", (_, before, after, expected) => {
    const found = compareSchemas(json(before), json(after)).map(({ kind, path, what }) => `${kind} ${path} ${what}`);
    expect(found).toEqual(expected.map((line) => expect.stringContaining(line)));
    expect(compareSchemas(essenceOf(json(before)), essenceOf(json(after)))).toEqual(compareSchemas(json(before), json(after)));
  });

  test("a field that is called like a keyword is a field", () => {
    const schema = json(objectOf({ description: text, title: Type.String({ title: "x" }), default: text }));
    expect(Object.keys(essenceOf(schema)["properties"] as object)).toEqual(["description", "title", "default"]);
    expect(JSON.stringify(essenceOf(schema))).not.toContain('"title":"x"');
  });
});

function json(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}

/** A program with notes that have these fields. */
function program(fields: TProperties, past: readonly PastVersion[] = [], events: Record<string, TProperties> = {}): Catalogue {
  const example = Object.fromEntries(Object.keys(fields).map((name) => [name, name === "stars" ? 1 : "x"]));
  return new Catalogue([defineResource({ name: "note", fields, example, past, events }) as never]);
}
const published = (catalogue: Catalogue): Published => JSON.parse(JSON.stringify(publishedBy(catalogue, {}))) as Published;
const told = (catalogue: Catalogue, before: Published) =>
  breachesOf(catalogue, before).map(({ types, version, what, advice }) => `${types.join()} v${version}: ${what}. ${advice}`);

describe("the gate", () => {
  const first = { title: text, body: text };
  const before = published(program(first, [], { starred: { by: text } }));
  const all = "note.created,note.updated,note.deleted,note.starred";

  test("is content with what is as it was, or has one more", () => {
    expect(told(program(first, [], { starred: { by: text } }), before)).toEqual([]);
    expect(told(program({ ...first, stars: Type.Optional(Type.Integer()) }, [], { starred: { by: text }, read: {} }), before)).toEqual([]);
  });

  test("names the field of an incompatible change, every type that has it, and what to do", () => {
    expect(told(program({ title: text }, [], { starred: { by: text } }), before)).toEqual([
      `${all} v1: /note/body was removed. Undo the change, or make it version 2: add the previous fields to the \`past\` of "note", in src/domain/, with an \`up\` that converts them.`,
    ]);
    expect(told(program(first, [], { starred: { by: Type.Integer() } }), before)).toEqual([
      expect.stringContaining("note.starred v1: /data/by was a string and is now an integer."),
    ]);
  });

  test("is content with a new version that comes from the old one", () => {
    const past = [pastVersion({ fields: first, up: ({ title }) => ({ title }) })];
    const now = program({ title: text }, past, { starred: { by: text } });
    expect(told(now, before)).toEqual([]);
    const next = publishedBy(now, before);
    expect(Object.keys(next["note.created"] ?? {})).toEqual(["1", "2"]);
    expect(next["note.created"]?.["1"]).toEqual(before["note.created"]?.["1"] as never);
    expect(told(program({ title: text }, past, { starred: { by: text } }), next)).toEqual([]);
  });

  test("is not content with a past that is not what was published, nor with one that is gone", () => {
    const wrong = [pastVersion({ fields: { title: Type.String({ maxLength: 3 }) }, up: (fields) => fields })];
    expect(told(program({ title: text }, wrong, { starred: { by: text } }), before)).toEqual([
      `${all} v1: /note/title now has maxLength 3. Logs and queues may still contain such events. Restore it in the \`past\` of "note", in src/domain/, as it was published.`,
    ]);
    const past = [pastVersion({ fields: first, up: ({ title }) => ({ title }) })];
    const next = publishedBy(program({ title: text }, past, { starred: { by: text } }), before);
    expect(told(program({ title: text }, [], { starred: { by: text } }), next)).toContainEqual(
      expect.stringContaining("v2: is missing; the newest version is 1."),
    );
  });

  test("tries the upcaster on what was published", () => {
    const past = [pastVersion({ fields: first, up: () => ({}) })];
    expect(told(program({ title: text }, past, { starred: { by: text } }), before)).toContainEqual(
      expect.stringMatching(
        /^note.created v1: cannot convert the published example: note.created version 1 to 2: \/note\/title: .* Fix `up` in the `past` of "note"/,
      ),
    );
  });

  test("misses an event type that is gone", () => {
    expect(told(program(first), before)).toEqual([
      "note.starred v1: is no longer declared, so it cannot be read. Logs and queues may still contain such events. Declare it again, in src/domain/.",
    ]);
  });

  test("says what is wider, which consumers of before may refuse", () => {
    const narrow = published(program({ title: Type.String({ maxLength: 5 }) }));
    const wide = program({ title: Type.String({ maxLength: 9 }) });
    expect([told(wide, narrow), widenings(wide, narrow)]).toEqual([[], ["/note/title had maxLength 5 and now has 9"]]);
  });

  test("the snapshot is what this program publishes", async () => {
    const snapshot = (await Bun.file("contracts/events.json").json()) as Published;
    expect(publishedBy(await loadCatalogue(), snapshot)).toEqual(snapshot);
  });
});
