// A minimal service with the same responses as the API: the same schemas, items in memory, no events. `bun bench/baselines/echo.ts`
import { type TUnsafe, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type Item, item } from "../../src/domain/item";

type Fields = Pick<Item, "name"> & Partial<Pick<Item, "description" | "price">>;

/** Request body. A field with a default is optional. */
const fields = Type.Object(
  Object.fromEntries(
    Object.entries(item.fields.properties).map(([name, schema]) => [name, "default" in schema ? Type.Optional(schema) : schema]),
  ),
  { additionalProperties: false },
) as unknown as TUnsafe<Fields>;

const params = Type.Object({ id: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) });

/** @param onCreated Called with a new item before the response. */
export function createApp(onCreated: (created: Item) => void = () => {}) {
  const items = new Map<number, Item>();
  return new Elysia({ normalize: false })
    .post(
      "/items",
      ({ body, set }) => {
        const now = new Date().toISOString();
        const { name, description = null, price = null } = body;
        const created: Item = { id: items.size + 1, name, description, price, version: 1, createdAt: now, updatedAt: now };
        items.set(created.id, created);
        onCreated(created);
        set.status = 201;
        set.headers["location"] = `/items/${created.id}`;
        return created;
      },
      { body: fields },
    )
    .get("/items/:id", ({ params: { id }, status }) => items.get(Number(id)) ?? status(404), { params })
    .get("/count", () => items.size);
}

if (import.meta.main) {
  const app = createApp().listen({ port: 0, hostname: "127.0.0.1" });
  console.log(`echo listens on ${app.server?.url.origin}`);
}
