import { UsageError } from "../../observe/command-line";
import { exampleOfFormat } from "../../schema/formats";
import { wordsOf } from "./names";

/** A field of a new resource. */
export interface Field {
  readonly name: string;
  /** TypeScript expression of its schema. */
  readonly schema: string;
  /** True if clients may leave it out. */
  readonly optional: boolean;
  readonly list: boolean;
  /** Name of the resource whose id it has. Undefined if it is no reference. */
  readonly to: string | undefined;
  readonly example: unknown;
}

interface FieldType {
  readonly schema: string;
  readonly example: (name: string) => unknown;
}

const format = (name: string, limit = ""): FieldType => ({
  schema: `Type.String({ format: "${name}"${limit} })`,
  example: () => exampleOfFormat(name),
});
const sample = (name: string) => `Sample ${wordsOf(name)}`;

const types: Readonly<Record<string, FieldType>> = {
  string: { schema: "Type.String({ minLength: 1, maxLength: 200 })", example: sample },
  text: { schema: "Type.String({ maxLength: 10_000 })", example: sample },
  integer: { schema: "Type.Integer()", example: () => 1 },
  number: { schema: "Type.Number()", example: () => 9.99 },
  boolean: { schema: "Type.Boolean()", example: () => true },
  date: format("date"),
  "date-time": format("date-time"),
  email: format("email", ", maxLength: 254"),
  uri: format("uri", ", maxLength: 2000"),
  uuid: format("uuid"),
};

const reference: FieldType = { schema: "Type.Integer({ minimum: 1 })", example: () => 1 };

/** Description of the types, for help and mistakes. */
export const typeHelp = `${Object.keys(types).join(", ")}, words such as open|closed, or ->project for the id of a project`;

/**
 * Parses `NAME:TYPE`, such as `title:string`, `state:open|closed`, `tags:string[]` or `dueAt:date-time?`.
 *
 * @throws {UsageError} with what is possible.
 */
export function parseField(text: string): Field {
  const [, name = "", type = "", list, optional] = /^([^:]*):(.*?)(\[\])?(\?)?$/.exec(text) ?? [];
  if (type === "") throw new UsageError(`"${text}" is not a field. Use NAME:TYPE, such as title:string. Types: ${typeHelp}.`);
  if (!/^[a-z][A-Za-z0-9_]{0,40}$/.test(name)) {
    const hint = name.endsWith("?") ? ` To make it optional, put the ? at the end: ${name.slice(0, -1)}:${type}?` : "";
    throw new UsageError(`"${name}" cannot name a field. Use letters, digits and _ (a lower-case letter first), such as "dueAt".${hint}`);
  }
  const [, to] = /^(?:->|ref\()([a-z][a-z0-9_]*)\)?$/.exec(type) ?? [];
  const { schema, example } = to === undefined ? typeOf(name, type) : reference;
  const value = example(name);
  const listed = list ? `Type.Array(${schema}, { maxItems: 100 })` : schema;
  return {
    name,
    schema: optional ? `Nullable(${listed})` : listed,
    optional: optional !== undefined,
    list: list !== undefined,
    to,
    // A reference that may be left out needs no other record.
    example: to !== undefined && optional ? null : list ? [value] : value,
  };
}

function typeOf(name: string, type: string): FieldType {
  if (type.includes("|")) return wordsType(name, type);
  if (Object.hasOwn(types, type)) return types[type] as FieldType;
  throw new UsageError(
    `Unknown type "${type}" of the field "${name}". Types: ${typeHelp}; [] makes a list and a ? at the end makes it optional. ` +
      `A shell takes | and > as its own, so write words and references in quotes: '${name}:${type}|other'.`,
  );
}

function wordsType(name: string, type: string): FieldType {
  const words = type.split("|");
  const wrong = words.find((word, index) => !/^[A-Za-z0-9][\w-]*$/.test(word) || words.indexOf(word) !== index);
  if (wrong === undefined) return { schema: `oneOf(${words.map((word) => `"${word}"`).join(", ")})`, example: () => words[0] };
  throw new UsageError(
    `"${type}" of the field "${name}": use different words of letters, digits, dashes and underscores, such as open|closed.`,
  );
}
