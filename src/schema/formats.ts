import { type FormatName, fullFormats } from "ajv-formats/dist/formats";

/** Returns whether a text has a format. */
export type FormatCheck = (text: string) => boolean;

/** The formats of JSON Schema 2020-12 (section 7.3), but for those of internationalized names. */
const names = [
  "date-time",
  "date",
  "time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "uri-template",
  "uuid",
  "json-pointer",
  "relative-json-pointer",
  "regex",
] as const satisfies readonly FormatName[];

/**
 * Every format that a schema may name. TypeBox's own registry knows none until a module fills it, as Elysia does, so that
 * a process without Elysia would refuse what the API accepts.
 */
export const formats: ReadonlyMap<string, FormatCheck> = new Map(names.map((name) => [name, checkOf(name)]));

function checkOf(name: FormatName): FormatCheck {
  const format = fullFormats[name];
  const validate = typeof format === "object" && "validate" in format ? format.validate : format;
  if (validate instanceof RegExp) return (text) => validate.test(text);
  if (typeof validate === "function") return validate as FormatCheck;
  throw new TypeError(`The format ${name} has no check of text.`);
}
