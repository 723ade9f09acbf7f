import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { greatestId } from "../http/query";
import type { Catalogue } from "../schema/catalogue";
import { completeFields } from "../schema/complete-fields";
import { documentedAs, titleOf } from "../schema/documented";
import { whyRefused } from "../schema/mistakes";
import { withoutPrivate } from "../schema/private";
import { filledIn, type Recorded } from "../schema/record";
import type { Input, Resource, ResourceTypes } from "../schema/resource";
import { type Count, countAtMost } from "../store/listing";
import { inputSchema } from "./defaults";
import { type Expanded, expandedSchema } from "./expand";
import { mergePatchSchema, type Patch } from "./merge-patch";

type Page<T extends ResourceTypes> = { [key in T["plural"]]: (Recorded<T["shown"]> & Expanded<T>)[] } & {
  next: string | null;
  count?: Count;
};

const count = Type.Object(
  {
    value: Type.Integer({ minimum: 0, maximum: countAtMost, description: "Number of records in the whole list." }),
    isExact: Type.Boolean({ description: "False if there are at least `value` records, and perhaps more." }),
  },
  { title: "Count", description: "Present with `count=true`.", examples: [{ value: 120, isExact: true }] },
);

export type Schemas<T extends ResourceTypes> = ReturnType<typeof schemasOf<T>>;

/**
 * Returns the schemas of a resource's requests and responses. The title of a schema becomes its name in the OpenAPI
 * document, and the name of a type in generated clients.
 */
export function schemasOf<T extends ResourceTypes>(resource: Resource<T>, catalogue: Catalogue) {
  const { name, plural, example, managed, derived } = resource;
  const title = titleOf(name);
  const patchExample = Object.fromEntries(Object.entries(example).slice(0, 1));
  const record = recordSchema(resource, catalogue);
  const next = Type.Union([Type.String(), Type.Null()], { description: "Pass it as `after` to get the next page; null on the last page." });
  const page = Type.Object(
    { [plural]: Type.Array(record), next, count: Type.Optional(count) },
    { title: `${title}Page`, examples: [{ [plural]: record["examples"] as unknown[], next: null }] },
  );
  const refused = {
    [whyRefused]: {
      ...mapTo([...filledIn, ...Object.keys(managed)], "Set by the service, not by clients; leave it out."),
      ...mapTo(Object.keys(derived), "Computed by the service; leave it out."),
    },
  };
  const input: TSchema = { ...inputSchema(resource.input), title: `${title}Input`, examples: [example], ...refused };
  // The same object where possible, so that it is compiled only once.
  const replacement: TSchema = resource.private.length === 0 ? input : { ...keepingPrivate(resource, input), title: `${title}Replacement` };
  const patch: TSchema = { ...mergePatchSchema(resource.input), title: `${title}Patch`, examples: [patchExample], ...refused };
  return {
    record,
    /** As `record`, but with the type of what `expand` adds. */
    read: typed<Recorded<T["shown"]> & Expanded<T>>(record),
    input: typed<Input<T["input"]>>(input),
    replacement: typed<Input<T["input"]>>(replacement),
    patch: typed<Patch<T["input"]>>(patch),
    page: typed<Page<T>>(page),
    params: paramsOf(resource),
  };
}

/** Returns the schema of a record in a response. */
export function recordSchema<T extends ResourceTypes>(resource: Resource<T>, catalogue: Catalogue) {
  const time = "2026-02-18T18:23:45.123Z";
  const fields = withoutPrivate(resource, completeFields(resource, resource.example));
  const example = { id: 1, ...fields, version: 1, createdAt: time, updatedAt: time };
  const properties = { ...resource.record.properties, ...expandedSchema(resource, catalogue) };
  return typed<Recorded<T["shown"]>>({ ...resource.record, properties, title: titleOf(resource.name), examples: [example] });
}

/** Returns the schema of the path parameter `:id` of a route about one record. Its value is a text: `Number(id)` is the id. */
export function paramsOf({ name }: Pick<Resource, "name">) {
  // Checked as text: Elysia's own coercion to integers accepts "1e2" and loses the name of an invalid parameter.
  const id = Type.String({
    pattern: "^[1-9][0-9]{0,14}$",
    description: `The id of the ${name}, an integer.`,
    [documentedAs]: { type: "integer", minimum: 1, maximum: greatestId, examples: [1] },
  });
  return Type.Object({ id });
}

/** Returns the schema with an explicit static type. TypeBox cannot infer the type while the resource is a type parameter. */
export function typed<T>(schema: TSchema): TUnsafe<T> {
  return schema as TUnsafe<T>;
}

/** Returns the schema of a request that replaces a record. It may omit private fields, which its sender cannot read. */
function keepingPrivate({ private: hidden }: Resource, input: TSchema): TSchema {
  const required = (input["required"] as string[] | undefined)?.filter((field) => !hidden.includes(field));
  return { ...input, required };
}

function mapTo(fields: readonly string[], text: string): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, text]));
}
