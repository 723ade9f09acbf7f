/** A JSON Schema made by TypeBox, from a file or from the program. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A difference between two versions of a schema, and its effect on compatibility. */
export interface SchemaChange {
  /** Place of the change, such as `/item/lines[]/quantity`. */
  readonly path: string;
  /** Description of the change, to follow the path: `was removed`. */
  readonly what: string;
  /**
   * Effect of the change.
   * - `unreadable`: values valid before are no longer valid.
   * - `surprising`: values may have a form that readers of the first version do not expect.
   * - `wider`: values have the same form within wider limits.
   */
  readonly kind: "unreadable" | "surprising" | "wider";
}

/** Compares two versions of a schema. Ignores keywords that only describe, such as titles, examples and defaults. */
export function compareSchemas(before: JsonSchema, after: JsonSchema, path = ""): SchemaChange[] {
  const [old, now] = [alternatives(before), alternatives(after)];
  const [first, second] = [old[0], now[0]];
  if (old.length === 1 && now.length === 1 && first && second) return compareOne(first, second, path);
  const found: SchemaChange[] = [];
  for (const one of old) {
    const closest = closestOf(one, now, path);
    if (closest) found.push(...closest);
    else found.push({ path, what: `can no longer be ${nameOf(one)}`, kind: "unreadable" });
  }
  for (const one of now) {
    if (old.some((other) => accepts(other, one) || accepts(one, other))) continue;
    // One more constant of a kind that was already possible only widens the choice.
    const isOneMore = "const" in one && old.some((other) => "const" in other && kindOf(other) === kindOf(one));
    found.push({ path, what: `can now be ${nameOf(one)}`, kind: isOneMore ? "wider" : "surprising" });
  }
  return found;
}

function closestOf(one: JsonSchema, candidates: readonly JsonSchema[], path: string): SchemaChange[] | undefined {
  const compared = candidates.filter((other) => accepts(other, one)).map((other) => compareOne(one, other, path));
  const weight = (changes: readonly SchemaChange[]) => changes.filter(({ kind }) => kind !== "wider").length * 1000 + changes.length;
  return compared.sort((a, b) => weight(a) - weight(b))[0];
}

/** Returns whether both schemas are of the same kind, or the kind of `wide` includes that of `narrow`. */
function accepts(wide: JsonSchema, narrow: JsonSchema): boolean {
  if ("const" in wide) return "const" in narrow && Bun.deepEquals(wide["const"], narrow["const"]);
  return kindOf(wide) === kindOf(narrow) || kindOf(wide) === "anything" || (kindOf(wide) === "number" && kindOf(narrow) === "integer");
}

function compareOne(before: JsonSchema, after: JsonSchema, path: string): SchemaChange[] {
  if ("const" in before && "const" in after && Bun.deepEquals(before["const"], after["const"])) return [];
  if (!accepts(after, before)) return [{ path, what: `was ${nameOf(before)} and is now ${nameOf(after)}`, kind: "unreadable" }];
  if ("const" in before) return [{ path, what: `was ${nameOf(before)} and is now any ${kindOf(after)}`, kind: "wider" }];
  if (kindOf(before) !== kindOf(after))
    return [{ path, what: `was ${nameOf(before)} and is now ${nameOf(after)}`, kind: "surprising" }, ...compareLimits(before, after, path)];
  return [
    ...compareLimits(before, after, path),
    ...(kindOf(before) === "object" ? compareObjects(before, after, path) : []),
    ...(kindOf(before) === "array" ? compareItems(before, after, path) : []),
    ...compareOthers(before, after, path),
  ];
}

function compareObjects(before: JsonSchema, after: JsonSchema, path: string): SchemaChange[] {
  const found: SchemaChange[] = [];
  const [old, now] = [partsOf(before), partsOf(after)];
  for (const [name, schema] of Object.entries(old.properties)) {
    const at = `${path}/${name}`;
    const next = now.properties[name];
    if (!next) {
      found.push({ path: at, what: "was removed", kind: now.open ? "surprising" : "unreadable" });
      continue;
    }
    if (!old.required.has(name) && now.required.has(name))
      found.push({ path: at, what: "is now required, but events were published without it", kind: "unreadable" });
    if (old.required.has(name) && !now.required.has(name)) found.push({ path: at, what: "may now be missing", kind: "surprising" });
    found.push(...compareSchemas(schema, next, at));
  }
  for (const name of Object.keys(now.properties)) {
    if (name in old.properties) continue;
    const at = `${path}/${name}`;
    if (now.required.has(name))
      found.push({
        path: at,
        what: "is new and required, but events were published without it (use Type.Optional)",
        kind: "unreadable",
      });
    else if (!old.open) found.push({ path: at, what: "is new", kind: "wider" });
  }
  if (old.open && !now.open) found.push({ path, what: "can no longer have other properties", kind: "unreadable" });
  return found;
}

function partsOf(schema: JsonSchema) {
  return {
    properties: (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>,
    required: new Set((schema["required"] ?? []) as readonly string[]),
    open: schema["additionalProperties"] !== false,
  };
}

function compareItems(before: JsonSchema, after: JsonSchema, path: string): SchemaChange[] {
  const [old, now] = [before["items"], after["items"]];
  if (isSchema(old) && isSchema(now)) return compareSchemas(old, now, `${path}[]`);
  return Bun.deepEquals(old, now) ? [] : [notUnderstood(path, "items")];
}

const least = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const most = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const exact = ["pattern", "format", "multipleOf", "uniqueItems"];

function compareLimits(before: JsonSchema, after: JsonSchema, path: string): SchemaChange[] {
  return [...least, ...most, ...exact].flatMap((limit): SchemaChange[] => {
    const [old, now] = [before[limit], after[limit]];
    if (Bun.deepEquals(old, now)) return [];
    const [was, is] = [JSON.stringify(old), JSON.stringify(now)];
    const what =
      old === undefined
        ? `now has ${limit} ${is}`
        : now === undefined
          ? `no longer has ${limit} ${was}`
          : `had ${limit} ${was} and now has ${is}`;
    const isWider =
      now === undefined || (old !== undefined && !exact.includes(limit) && least.includes(limit) === Number(now) < Number(old));
    return [{ path, what, kind: isWider ? "wider" : "unreadable" }];
  });
}

/** Keywords compared by the functions above. */
const compared = new Set([
  ...least,
  ...most,
  ...exact,
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "const",
  "anyOf",
  "enum",
]);
/** Keywords that only describe. */
const describing = /^(title|description|default|examples|deprecated|readOnly|writeOnly|\$id|\$comment|x-.*)$/;

/** Returns a copy of a schema without the keywords that only describe. */
export function essenceOf(schema: JsonSchema): JsonSchema {
  const part = (keyword: string, value: unknown): unknown => {
    if (keyword === "properties") return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, essenceOf(each)]));
    if (Array.isArray(value)) return value.map((each: unknown) => (isSchema(each) ? essenceOf(each) : each));
    return isSchema(value) && keyword !== "const" ? essenceOf(value) : value;
  };
  const kept = Object.entries(schema).filter(([keyword]) => !describing.test(keyword));
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, part(keyword, value)]));
}

function compareOthers(before: JsonSchema, after: JsonSchema, path: string): SchemaChange[] {
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keywords]
    .filter((keyword) => !compared.has(keyword) && !describing.test(keyword) && !Bun.deepEquals(before[keyword], after[keyword]))
    .map((keyword) => notUnderstood(path, keyword));
}

function notUnderstood(path: string, keyword: string): SchemaChange {
  return { path, what: `has a different \`${keyword}\`, which this check cannot compare`, kind: "unreadable" };
}

/** Splits a schema into one schema for each kind of value that it allows. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf, enum: words, type } = schema;
  if (Array.isArray(anyOf)) return anyOf.flatMap((each) => alternatives(each as JsonSchema));
  if (Array.isArray(words)) return words.map((word: unknown) => ({ const: word }));
  if (Array.isArray(type)) return type.map((each: unknown) => ({ ...schema, type: each }));
  return [schema];
}

function kindOf(schema: JsonSchema): string {
  if (typeof schema["type"] === "string") return schema["type"];
  if (!("const" in schema)) return "anything";
  return schema["const"] === null ? "null" : typeof schema["const"];
}

function nameOf(schema: JsonSchema): string {
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const kind = kindOf(schema);
  return ["null", "anything"].includes(kind) ? kind : /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
