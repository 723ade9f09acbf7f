// Generates bodies that an operation accepts, and bodies with one flaw.
import fc from "fast-check";
import { arbitraryOf, checkOf, type JsonSchema } from "./json-schema";
import type { Operation } from "./openapi";

export interface Body {
  readonly type: string | undefined;
  readonly schema: JsonSchema;
  readonly content: { readonly json: unknown } | { readonly bytes: Uint8Array } | { readonly spaces: number };
}

/** `taken`: must not be refused for its form. `refused`: must be refused. `either`: the document does not say. */
export type Sure = "taken" | "refused" | "either";

const mebibyte = 1024 * 1024;
/** Larger than an operation accepts, and smaller than Bun's own limit. */
const tooLarge = 1.5 * mebibyte;
const tooLargeFor: Record<string, number> = { "POST /items/bulk": 17 * mebibyte, "POST /changes": 17 * mebibyte };

export function validBody({ bodies }: Operation): fc.Arbitrary<Body | undefined> {
  const all = [...bodies].map(([type, { schema, example }]) => {
    const any = { weight: 3, arbitrary: arbitraryOf(schema) };
    const json = example === undefined ? any.arbitrary : fc.oneof(any, { weight: 1, arbitrary: fc.constant(example) });
    return fc.record({ type: fc.constant(type), schema: fc.constant(schema), content: fc.record({ json }) });
  });
  return all.length > 0 ? fc.oneof(...all) : fc.constant(undefined);
}

export function flawedBodies(operation: Operation): { weight: number; body: fc.Arbitrary<[Body, Sure]> }[] {
  const { bodies } = operation;
  if (bodies.size === 0) return [];
  const valid = validBody(operation) as fc.Arbitrary<Body & { content: { json: unknown } }>;
  const mutated = fc
    .tuple(valid, fc.nat(), oddValue, fc.constantFrom("replace", "remove", "add"))
    .map(([body, place, odd, how]): [Body, Sure] => {
      const json = mutate(body.content.json, place, odd, how);
      return [{ ...body, content: { json } }, checkOf(body.schema)(json) === undefined ? "either" : "refused"];
    });
  const broken = fc.tuple(valid, fc.constantFrom(...breakages)).map(([body, [sure, breakIt]]): [Body, Sure] => {
    const bytes = breakIt(JSON.stringify(body.content.json));
    return [{ ...body, content: { bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes } }, sure];
  });
  const mislabelled = fc.tuple(valid, fc.constantFrom(...oddTypes)).map(([body, type]): [Body, Sure] => {
    const essence = type?.split(";")[0]?.trim().toLowerCase() ?? "";
    return [{ ...body, type }, bodies.has(essence) ? "either" : "refused"];
  });
  const large = valid.map((body): [Body, Sure] => [{ ...body, content: { spaces: tooLargeFor[operation.name] ?? tooLarge } }, "refused"]);
  return [
    { weight: 6, body: mutated },
    { weight: 4, body: broken },
    { weight: 4, body: mislabelled },
    { weight: 2, body: large },
  ];
}

const oddTypes = [
  undefined,
  "",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "multipart/form-data",
  "application/xml",
  "application/jsonx",
  "json",
  "application/json; charset=utf-8",
  "Application/JSON",
  "application/json; charset=utf-16",
  "application/json, text/plain",
  ";",
];

const breakages: readonly (readonly [Sure, (json: string) => string | Uint8Array])[] = [
  ["refused", () => ""],
  ["refused", () => "  \n"],
  ["refused", (json) => json.slice(0, -1)],
  ["refused", (json) => `${json}x`],
  ["refused", (json) => `${json}${json}`],
  ["refused", (json) => `// a comment\n${json}`],
  ["refused", (json) => json.replaceAll('"', "'").concat("'")],
  ["refused", () => '{"a":NaN}'],
  ["refused", () => '{"a":01}'],
  ["refused", () => "[".repeat(100_000)],
  ["refused", () => "[".repeat(100_000) + "]".repeat(100_000)],
  ["refused", () => `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`],
  ["refused", () => new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ["either", (json) => `\ufeff${json}`],
  ["either", (json) => json.replace("{", '{"__proto__":{"price":1},')],
  ["either", (json) => json.replace("{", '{"constructor":{"prototype":{}},')],
  // A duplicate name; RFC 8259 leaves its meaning open.
  ["either", (json) => json.replace(/^\{("[^"\\]*"):/, "{$1:null,$1:")],
  ["either", (json) => json.replace(/"(?=[,}\]])/, '\\u0000"')],
  ["either", (json) => json.replace(/"(?=[,}\]])/, '\\ud800"')],
  ["either", (json) => json.replace(/\d+/, "1e400")],
  ["either", (json) => json.replace(/\d+/, "9007199254740993")],
];

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, 2 ** 53, "", "5", " ", "x".repeat(3000), [], {}, [[]], "\0", "\ud800"),
  fc.jsonValue(),
);

/** Returns a JSON value with one of its parts replaced or removed, or with an added member. */
function mutate(value: unknown, place: number, odd: unknown, how: string): unknown {
  const copy = structuredClone({ root: value });
  const places = [...placesOf(copy)];
  const [holder, key] = places[place % places.length] as [Record<string, unknown>, string];
  const target = holder[key];
  if (how === "add" && Array.isArray(target)) target.push(odd);
  else if (how === "add" && typeof target === "object" && target !== null) Object.assign(target, { "unheard-of": odd });
  else if (how === "remove" && key !== "root") Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key];
  else holder[key] = odd;
  return copy.root;
}

function* placesOf(value: unknown): Generator<[object, string]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [value, key];
    yield* placesOf(inner);
  }
}
