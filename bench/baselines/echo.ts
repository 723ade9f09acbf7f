// A minimal service with the same responses as the API: the same schemas, items in memory, no events. `bun bench/baselines/echo.ts`
import { Elysia } from "elysia";
import type { Item } from "../../src/domain/item";
import { fields, params } from "./item-body";

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
