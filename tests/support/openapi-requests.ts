// Generates requests that the OpenAPI document allows, and requests with one flaw.
import fc from "fast-check";
import { arbitraryOf, checkOf, type JsonSchema } from "./json-schema";
import type { Operation, Parameter } from "./openapi";
import { type Body, flawedBodies, type Sure, validBody } from "./openapi-bodies";

/** A value in a path or a query: this text, or the nth known value. */
export interface Part {
  readonly name: string;
  readonly text: string;
  readonly known?: number;
}

export interface Plan {
  readonly operation: Operation;
  readonly path: readonly Part[];
  readonly query: readonly Part[];
  readonly headers: readonly (readonly [string, string])[];
  readonly token: "right" | "limited" | "wrong" | "none";
  readonly body?: Body;
  /** Bits that select which members of the body are replaced by known values. */
  readonly known: number;
  /** Expected outcome per the document. A valid request may still address a missing record. */
  readonly sure: Sure;
}

/** Generates a request to one of the operations: about half of them valid, the others with one flaw. */
export function plans(operations: readonly Operation[]): fc.Arbitrary<Plan> {
  return fc.oneof(...operations.map(planOf));
}

function planOf(operation: Operation): fc.Arbitrary<Plan> {
  const of = (place: Parameter["in"]) => operation.parameters.filter((parameter) => parameter.in === place);
  const valid: { [Key in keyof Plan]-?: fc.Arbitrary<Plan[Key]> } = {
    operation: fc.constant(operation),
    path: parts(of("path"), 4),
    query: parts(of("query"), 1),
    headers: parts(of("header"), 1).map((given) => given.flatMap(({ name, text }) => (isHeader(text) ? [[name, text] as const] : []))),
    token: fc.constant("right"),
    body: validBody(operation),
    known: fc.nat(),
    sure: fc.constant("taken"),
  };
  const plan = (changed: Partial<typeof valid>) => fc.record({ ...valid, ...changed }) as fc.Arbitrary<Plan>;
  const unknown = { token: fc.constantFrom("wrong", "none"), sure: fc.constant(operation.needsToken ? "refused" : "taken") } as const;
  const odd = { headers: fc.subarray([...oddHeaders], { minLength: 1, maxLength: 3 }), sure: fc.constant("either") } as const;
  const flaws = [
    { weight: 2, arbitrary: plan(unknown) },
    { weight: 2, arbitrary: plan({ token: fc.constant("limited"), sure: fc.constant("either") }) },
    { weight: 3, arbitrary: plan(odd) },
    { weight: 3, arbitrary: withFlawedPart(plan({}), "query", of("query")) },
  ];
  if (of("path").length > 0) flaws.push({ weight: 3, arbitrary: withFlawedPart(plan({}), "path", of("path")) });
  for (const { weight, body } of flawedBodies(operation)) {
    const arbitrary = fc.tuple(plan({}), body).map(([one, [flawed, sure]]) => ({ ...one, body: flawed, known: 0, sure }));
    flaws.push({ weight, arbitrary });
  }
  return fc.oneof({ weight: flaws.reduce((sum, { weight }) => sum + weight, 0), arbitrary: plan({}) }, ...flaws);
}

/** @param known Weight of a known value relative to a generated one. */
function parts(parameters: readonly Parameter[], known: number): fc.Arbitrary<Part[]> {
  const all = parameters.map(({ name, required, schema }) => {
    const text = arbitraryOf(schema)
      .map(String)
      .filter((one) => isSafe(one));
    const part = fc.oneof(
      { weight: known, arbitrary: fc.record({ name: fc.constant(name), text, known: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ name: fc.constant(name), text }) },
    );
    return required ? part : fc.option(part, { nil: undefined, freq: 2 });
  });
  return fc.tuple(...all).map((given) => given.filter((part) => part !== undefined));
}

function withFlawedPart(plan: fc.Arbitrary<Plan>, place: "path" | "query", parameters: readonly Parameter[]): fc.Arbitrary<Plan> {
  const undeclared = { name: "unheard-of", schema: {} };
  const all = [...parameters, ...(place === "query" ? [undeclared] : [])];
  const flawed = fc.oneof(
    ...all.map(({ name, schema }) => fc.record({ name: fc.constant(name), schema: fc.constant(schema), text: oddText(schema) })),
  );
  return fc.tuple(plan, flawed).map(([one, { name, schema, text }]) => {
    const others = one[place].filter((part) => part.name !== name);
    const sure = checkText(schema, text) === undefined || !isSafe(text) ? "either" : "refused";
    return { ...one, [place]: [...others, { name, text }], sure };
  });
}

const oddTexts = [
  "0",
  "-1",
  "01",
  "1.0",
  "1e2",
  "+1",
  " 1",
  "9".repeat(30),
  "NaN",
  "null",
  "true",
  "[]",
  "1,2",
  "%",
  "\0",
  "\ud800",
  "x".repeat(3000),
];

function oddText({ maxLength = 200 }: JsonSchema): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.constantFrom(...oddTexts),
      fc.constant("x".repeat(maxLength + 1)),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
    )
    .filter((text) => !isDots(text));
}

/** Describes what is wrong with a text as the value of a parameter, or returns undefined. */
export function checkText(schema: JsonSchema, text: string): string | undefined {
  const check = checkOf(schema);
  if (schema.type !== "integer" && schema.type !== "number") return check(text);
  // A number in JSON's format (RFC 8259, section 6).
  return /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? check(Number(text)) : "it is no number";
}

/** Returns whether a text can be sent. Lone surrogates cannot, and a server may refuse URLs above 8000 bytes (RFC 9110, section 4.1). */
function isSafe(text: string): boolean {
  return !isDots(text) && text.isWellFormed() && encodeURIComponent(text).length <= 2000;
}

/** Returns whether fetch sends a header value unchanged. */
function isHeader(text: string): boolean {
  return /^[!-~]([ -~]*[!-~])?$/.test(text);
}

/** Returns whether a path segment is only dots or empty: a client removes dots, and an empty segment makes another path. */
function isDots(text: string): boolean {
  return /^\.*$/.test(text);
}

/** Unexpected headers, which may change a response but must not break it. */
const oddHeaders: readonly (readonly [string, string])[] = [
  ...["application/xml", "application/json;q=0", "*/*;q=x", ";;,"].map((value) => ["accept", value] as const),
  ...['"1"', 'W/"1"', "*", "1", '"', '"1", "2"', "\u00ff"].flatMap((tag) => [["if-match", tag] as const, ["if-none-match", tag] as const]),
  ...["a", "same-key", '"same-key"', "x".repeat(300), "\u00ff"].map((value) => ["idempotency-key", value] as const),
  ...["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0", "x"].map((value) => ["traceparent", value] as const),
  ["content-encoding", "gzip"],
  ["cookie", "a=b; __proto__=c"],
  ["forwarded", "for=_x;proto=x"],
  ["if-modified-since", "Wed, 21 Oct 2099 07:28:00 GMT"],
  ["if-unmodified-since", "yesterday"],
  ["last-event-id", "x"],
  ["origin", "https://evil.example"],
  ["origin", "null"],
  ["prefer", "return=minimal"],
  ["range", "bytes=0-1"],
  ["sec-fetch-site", "cross-site"],
  ["x-forwarded-for", "1.1.1.1, x"],
  ["x-http-method-override", "DELETE"],
  ["x-request-id", "x".repeat(2000)],
];
