import { type FormatName, fullFormats } from "ajv-formats/dist/formats";

/** Returns whether a text matches a format. */
export type FormatCheck = (text: string) => boolean;

/** The formats of JSON Schema 2020-12 (section 7.3) except those for internationalized names, each with an example. */
const examples = {
  "date-time": "2026-02-18T18:23:45.123Z",
  date: "2026-02-18",
  time: "18:23:45Z",
  duration: "P1DT12H",
  email: "ada@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  "uri-reference": "/items/1",
  "uri-template": "/items/{id}",
  uuid: "019ab790-8c6e-7000-a9c7-a7d37be9ec58",
  "json-pointer": "/items/0",
  "relative-json-pointer": "1/name",
  regex: "^[a-z]+$",
} as const satisfies Partial<Record<FormatName, string>>;

/**
 * All formats that a schema may use. TypeBox's own registry is empty until a module such as Elysia fills it. With that registry,
 * a process without Elysia would reject values that the API accepts.
 */
export const formats: ReadonlyMap<string, FormatCheck> = new Map(
  (Object.keys(examples) as (keyof typeof examples)[]).map((name) => [name, checkOf(name)]),
);

/** Returns an example of a format, or undefined if the format is unknown. */
export function exampleOfFormat(format: unknown): string | undefined {
  return new Map<unknown, string>(Object.entries(examples)).get(format);
}

function checkOf(name: FormatName): FormatCheck {
  const format = fullFormats[name];
  const validate = typeof format === "object" && "validate" in format ? format.validate : format;
  if (validate instanceof RegExp) return (text) => validate.test(text);
  if (typeof validate === "function") return validate as FormatCheck;
  throw new TypeError(`The format ${name} does not check strings.`);
}
