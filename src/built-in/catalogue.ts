import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { defineRoute } from "../routing/route";
import { type DescribedCatalogue, describeCatalogue } from "./described-catalogue";

const schema = Type.Record(Type.String(), Type.Unknown());
const texts = (description: string) => Type.Array(Type.String(), { description });

const example: DescribedCatalogue = {
  title: "Warren",
  version: "1.0.0",
  resources: [
    {
      ...{ name: "item", plural: "items", path: "/items", exchange: "items", queue: "item_events", isRetired: false },
      ...{ record: { type: "object" }, input: { type: "object" }, example: { name: "Sample Item" } },
      ...{ filters: { name: ["prefix"], price: ["range"] }, sorts: ["id", "createdAt", "updatedAt"], isSearchable: false },
      ...{ unique: [], references: [], events: ["item.created", "item.updated", "item.deleted"] },
    },
  ],
  eventTypes: [
    {
      ...{ type: "item.created", resource: "item", isPublished: true },
      versions: [{ version: 1, schema: { item: { type: "object" } }, example: { item: { id: 1, name: "Sample Item" } }, changes: [] }],
    },
  ],
  consumers: [{ name: "stock", queue: "stock", types: ["item.created"], description: null, exactlyOnce: false }],
};

const ACatalogue = Type.Unsafe<DescribedCatalogue>(
  Type.Object(
    {
      title: Type.String({ description: "Title of the project." }),
      version: Type.String({ description: "Version of the project." }),
      resources: Type.Array(
        Type.Object({
          name: Type.String(),
          plural: Type.String(),
          path: Type.Union([Type.String(), Type.Null()], { description: "Path of its list. null: it has none at `/<plural>`." }),
          exchange: Type.String({ description: "Exchange of its events on RabbitMQ." }),
          queue: Type.String({ description: "Its shared queue." }),
          isRetired: Type.Boolean({ description: "Whether its records can no longer be changed." }),
          record: schema,
          input: schema,
          example: Type.Unknown({ description: "A valid body of a request." }),
          filters: Type.Record(Type.String(), texts("Kinds of the filter.")),
          sorts: texts("Values of `sort`, each also with `-` in front."),
          isSearchable: Type.Boolean(),
          unique: Type.Array(texts("Fields of a unique key.")),
          references: Type.Array(Type.Object({ field: Type.String(), to: Type.String({ description: "Name of a resource." }) })),
          events: texts("Its event types."),
        }),
      ),
      eventTypes: Type.Array(
        Type.Object({
          type: Type.String(),
          resource: Type.String(),
          isPublished: Type.Boolean({ description: "false: it is retired, and only read." }),
          versions: Type.Array(
            Type.Object({
              version: Type.Integer(),
              schema: Type.Record(Type.String(), schema, { description: "JSON Schemas of the record, and of `data`." }),
              example: Type.Union([schema, Type.Null()]),
              changes: texts("What differs from the version before."),
            }),
            { description: "The oldest first." },
          ),
        }),
      ),
      consumers: Type.Array(
        Type.Object({
          name: Type.String({ description: "Name of its file." }),
          queue: Type.Union([Type.String(), Type.Null()], { description: "null: a temporary queue." }),
          types: texts("The event types that it gets."),
          description: Type.Union([Type.String(), Type.Null()]),
          exactlyOnce: Type.Boolean(),
        }),
        { description: "The consumers in `consumers/`." },
      ),
    },
    { title: "Catalogue", examples: [example] },
  ),
);

/** The resources, event types and consumers of the project. */
export default defineRoute(({ catalogue, project }) => {
  let described: DescribedCatalogue | undefined;
  return new Elysia().get(
    "",
    () => {
      described ??= describeCatalogue(catalogue, project);
      return described;
    },
    {
      response: { 200: ACatalogue },
      detail: {
        tags: ["status"],
        summary: "Describe resources, event types and consumers",
        description: "Returns the schemas, with all versions of the event types. It changes only with the program.",
      },
    },
  );
});
