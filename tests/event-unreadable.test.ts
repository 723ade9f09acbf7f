// Whatever bytes a queue brings: they are read, or named with a reason; never a crash.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { maxEventBytes, type Parsed, parseEvent, type Unreadable, unreadableReasons } from "../src/schema/event";
import { catalogue } from "./support/resources";

const time = "2026-02-18T18:23:45.123Z";
const record = { id: 1, name: "x", description: null, price: null, version: 1, createdAt: time, updatedAt: time };
const event = { id: "e1", type: "item.created", version: 1, item: record, timestamp: time };
const text = JSON.stringify(event);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function refusal(parsed: Parsed): { reason: Unreadable; detail: string } {
  if (parsed.ok) throw new Error(`Was read: ${JSON.stringify(parsed.event)}`);
  return { reason: parsed.reason, detail: parsed.detail };
}

describe("a message that is not an event has a reason", () => {
  const cases: [string, string | Uint8Array, Unreadable, RegExp][] = [
    ["too large", `"${"x".repeat(maxEventBytes)}"`, "too-large", /the event has 4194306 bytes; the maximum is 4194304/],
    ["too large, as bytes", new Uint8Array(maxEventBytes + 1), "too-large", /4194305 bytes/],
    ["empty", "", "not-json", /./],
    ["cut off", '{"id":"e1","type":', "not-json", /./],
    ["not UTF-8", bytes('{"id":"\xff\xfe"}'), "not-json", /./],
    ["two values", "{}{}", "not-json", /./],
    ["NaN", "NaN", "not-json", /./],
    ["null", "null", "not-an-event", /object/],
    ["a list", "[1]", "not-an-event", /object|id/],
    ["a number", "1", "not-an-event", /object/],
    ["no id", JSON.stringify({ ...event, id: undefined }), "not-an-event", /\/id/],
    ["an empty id", JSON.stringify({ ...event, id: "" }), "not-an-event", /\/id/],
    ["an endless id", JSON.stringify({ ...event, id: "x".repeat(201) }), "not-an-event", /\/id/],
    ["a type that is no text", JSON.stringify({ ...event, type: 1 }), "not-an-event", /\/type/],
    ["no timestamp", JSON.stringify({ ...event, timestamp: undefined }), "not-an-event", /\/timestamp/],
    ["a version that is no integer", JSON.stringify({ ...event, version: "1" }), "not-an-event", /\/version/],
    ["version 0", JSON.stringify({ ...event, version: 0 }), "not-an-event", /\/version/],
    [
      "an unknown type",
      JSON.stringify({ ...event, type: "item.exploded" }),
      "unknown-type",
      /unknown event type "item.exploded"; known: item.created, /,
    ],
    ["a type of Object's own", JSON.stringify({ ...event, type: "constructor" }), "unknown-type", /"constructor"/],
    [
      "a newer version",
      JSON.stringify({ ...event, version: 2 }),
      "unknown-version",
      /unknown version 2 of item.created; .* reads version 1/,
    ],
    ["no record", JSON.stringify({ ...event, item: undefined }), "invalid", /^\/item: /],
    ["a record under another name", JSON.stringify({ ...event, item: undefined, order: record }), "invalid", /^\/item: /],
    ["a bad record", JSON.stringify({ ...event, item: { ...record, price: -1 } }), "invalid", /^\/item\/price: /],
    ["a timestamp that is no time", JSON.stringify({ ...event, timestamp: "yesterday" }), "not-an-event", /^\/timestamp: .*RFC 3339/],
    ["a timestamp in another zone", JSON.stringify({ ...event, timestamp: "2026-02-18T18:23:45+01:00" }), "not-an-event", /^\/timestamp: /],
    [
      "a record made at no time",
      JSON.stringify({ ...event, item: { ...record, createdAt: "t" } }),
      "invalid",
      /^\/item\/createdAt: .*RFC 3339/,
    ],
    [
      "a record changed on 30 February",
      JSON.stringify({ ...event, item: { ...record, updatedAt: "2026-02-30T18:23:45Z" } }),
      "invalid",
      /^\/item\/updatedAt: .*RFC 3339/,
    ],
    [
      "an id beyond 2^53",
      text.replace('"id":1', '"id":738529527931269425'),
      "invalid",
      /^\/item\/id: Expected number between -9007199254740991/,
    ],
    ["a number beyond 2^53 in an unknown field", text.replace("{", '{"more":{"n":[9007199254740993]},'), "invalid", /^\/more\/n\/0: /],
    [
      "a decimal that a double does not hold",
      text.replace('"price":null', '"price":0.1000000000000000055'),
      "invalid",
      /^\/item\/price: .*double/,
    ],
    ["a key that is there twice", text.replace('"price":null', '"price":null,"price":5'), "invalid", /^\/item\/price: Expected once/],
    ["half a surrogate pair", text.replace('"x"', '"\\ud800"'), "invalid", /^\/item\/name: Expected string without NUL/],
    ["a record with no id", JSON.stringify({ ...event, item: { ...record, id: undefined } }), "invalid", /^\/item\/id: /],
  ];
  test.each(cases)("%s", (_, body, reason, detail) => {
    const refused = refusal(parseEvent(body, catalogue));
    expect(refused.reason).toBe(reason);
    expect(refused.detail).toMatch(detail);
  });

  test("the cases above reach every reason", () => {
    // Those of versions are in event-versions.test.ts, that of encodings is below.
    const others: Unreadable[] = ["encoded", "upcast-failed", "downcast-failed"];
    expect(new Set([...cases.map(([, , reason]) => reason), ...others])).toEqual(new Set(unreadableReasons));
  });

  test("the largest body that is allowed is read", () => {
    const frame = JSON.stringify({ ...event, extra: "" });
    const body = JSON.stringify({ ...event, extra: "x".repeat(maxEventBytes - frame.length) });
    expect(body).toHaveLength(maxEventBytes);
    expect(parseEvent(Buffer.from(body), catalogue).ok).toBe(true);
  });
});

describe("what the publisher says of the encoding", () => {
  test.each([undefined, "", "identity", "Identity", "utf-8", "UTF-8", "utf8"])("%p is plain JSON", (encoding) => {
    expect(parseEvent(Buffer.from(text), catalogue, { encoding }).ok).toBe(true);
  });

  test.each(["gzip", "x-gzip", "deflate", "br", "zstd", "base64", "utf-16"])(
    "%p is named as the reason, whatever the body is",
    (encoding) => {
      for (const body of [Bun.gzipSync(Buffer.from(text)), Buffer.from(text)]) {
        expect(refusal(parseEvent(body, catalogue, { encoding }))).toEqual({
          reason: "encoded",
          detail: `unsupported content_encoding "${encoding}"; send the event as uncompressed JSON in UTF-8`,
        });
      }
    },
  );

  test("one that is long is cut", () => {
    expect(refusal(parseEvent(text, catalogue, { encoding: "x".repeat(255) })).detail.length).toBeLessThan(200);
  });
});

describe("times", () => {
  test.each(["2026-02-18T18:23:45Z", "2026-02-18t18:23:45.123456z", "2026-02-18T18:23:45.1+00:00", "2026-02-18T18:23:45-00:00"])(
    "%s is read",
    (timestamp) => {
      expect(parseEvent(JSON.stringify({ ...event, timestamp }), catalogue).ok).toBe(true);
    },
  );
});

describe("no bytes crash the parser", () => {
  test("property: random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (body) => refusal(parseEvent(body, catalogue)).detail.length > 0));
  });

  test("property: any JSON, under any of the keys of an event", () => {
    const key = fc.constantFrom("id", "type", "version", "item", "order", "timestamp", "__proto__", "constructor", "toString");
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.json())), (pairs) => {
        const members = [...Object.entries(event).map(([name, value]) => [name, JSON.stringify(value)]), ...pairs];
        const parsed = parseEvent(`{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`, catalogue);
        if (parsed.ok) expect(parsed.record.id).toBe(1);
        else expect(parsed.detail).not.toBe("");
      }),
    );
  });

  test("property: an event with some of its bytes changed", () => {
    const whole = Buffer.from(JSON.stringify(event));
    const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const body = Buffer.from(whole);
        for (const [at, byte] of changes) body[at] = byte;
        const parsed = parseEvent(body, catalogue);
        if (parsed.ok) expect(catalogue.eventTypes).toContain(parsed.event.type);
      }),
    );
  });

  test.each(["[", '{"a":', '{"item":'])("JSON that is nested without end: %s", (opening) => {
    expect(refusal(parseEvent(opening.repeat(50_000), catalogue)).reason).toBe("not-json");
  });

  test.each([
    ["at the top", (deep: string) => `${JSON.stringify(event).slice(0, -1)},"deep":${deep}}`, true],
    [
      "in the record",
      (deep: string) => JSON.stringify({ ...event, item: { ...record, deep: 0 } }).replace('"deep":0', `"deep":${deep}`),
      true,
    ],
    ["in place of a field", (deep: string) => JSON.stringify(event).replace('"price":null', `"price":${deep}`), false],
    ["in place of the record", (deep: string) => JSON.stringify({ ...event, item: 0 }).replace('"item":0', `"item":${deep}`), false],
  ])("deep JSON that is closed again, %s", (_, build, read) => {
    for (const depth of [1000, 50_000]) {
      const parsed = parseEvent(build("[".repeat(depth) + "]".repeat(depth)), catalogue);
      if (!parsed.ok) expect(["not-json", "invalid"]).toContain(parsed.reason);
      if (depth === 1000) expect(parsed.ok).toBe(read);
    }
  });

  test("hostile keys are properties like any other, and touch no prototype", () => {
    const hostile = `"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"hasOwnProperty":1`;
    const body = JSON.stringify(event).replace('"name"', `${hostile},"name"`).replace(/^\{/, `{${hostile},`);
    expect(parseEvent(body, catalogue).ok).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("a record under __proto__ is not a record", () => {
    const body = `{"id":"e1","type":"item.created","version":1,"timestamp":"${time}","__proto__":{"item":${JSON.stringify(record)}}}`;
    expect(refusal(parseEvent(body, catalogue)).reason).toBe("invalid");
  });
});
