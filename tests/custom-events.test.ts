// Events beside created, updated and deleted: declared in a line, published by a route together with a change.
import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import { defineRoute } from "warren/route";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { openApi, storeWith } from "./support/api";
import { forEachEngine } from "./support/engines";
import { loggedEvents } from "./support/logged-events";
import { useStore } from "./support/use-store";

const order = defineResource({
  name: "order",
  fields: { customer: Type.String(), state: Type.String({ default: "open" }) },
  example: { customer: "Ada", state: "open" },
  events: { shipped: { carrier: Type.String({ minLength: 1 }) }, noticed: {} },
});

const ada = { customer: "Ada", state: "open" };

forEachEngine((placesIn) => {
  const { store } = useStore(placesIn, [order]);

  const events = () => loggedEvents(store);

  describe("a custom event", () => {
    test("follows the event of the change, with the same record and its own data", async () => {
      await store.insert(order, ada);
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      await store.update(order, 1, (current) => ({ ...current, state: "shipped" }), { traceparent, emit: { shipped: { carrier: "DHL" } } });
      const [, updated, shipped] = await events();
      expect(updated).toMatchObject({ type: "order.updated", order: { id: 1, state: "shipped", version: 2 } });
      expect(shipped).toEqual({ ...updated, id: expect.any(String), type: "order.shipped", data: { carrier: "DHL" } });
      expect(Object.keys(shipped ?? {})).toEqual(["id", "type", "version", "order", "data", "timestamp"]);
      expect(shipped?.["id"]).not.toBe(updated?.["id"]);
      expect((await store.log.read(0, 9))[2]).toMatchObject({ type: "order.shipped", subject: 1, traceparent });
      expect(parseEvent(JSON.stringify(shipped), new Catalogue([order])).ok).toBe(true);
    });

    test("comes with a creation and a removal, too, and several at once", async () => {
      await store.insert(order, ada, { emit: { noticed: {}, shipped: { carrier: "UPS" } } });
      await store.remove(order, 1, { emit: { noticed: {} } });
      expect((await events()).map(({ type }) => type)).toEqual([
        "order.created",
        "order.noticed",
        "order.shipped",
        "order.deleted",
        "order.noticed",
      ]);
    });

    test("is not there when the change is not", async () => {
      const emit = { shipped: { carrier: "DHL" } };
      expect(await store.update(order, 9, (current) => current, { emit })).toBeUndefined();
      expect(await store.remove(order, 9, { emit })).toBeUndefined();
      await store.insert(order, ada);
      const refused = store.update(
        order,
        1,
        () => {
          throw new Error("shipped already");
        },
        { emit },
      );
      expect(refused).rejects.toThrow("shipped already");
      await refused.catch(() => {});
      expect((await events()).map(({ type }) => type)).toEqual(["order.created"]);
    });

    test.each<[object, string]>([
      [
        { shipped: { carrier: "" } },
        "The data of the event order.shipped is not valid. /carrier: Expected string of at least 1 characters",
      ],
      [{ shipped: { carrier: "DHL", weight: 1 } }, "/weight: Unexpected property"],
      [{ burnt: {} }, 'Resource "order" does not declare the event "burnt". Declared: shipped, noticed.'],
      [{ created: {} }, 'Resource "order" does not declare the event "created"'],
      [{ constructor: {} }, 'Resource "order" does not declare the event "constructor"'],
    ])("that nobody could read is not published, and nothing is changed: %j", async (emit, message) => {
      await store.insert(order, ada);
      const change = async () => store.update(order, 1, (current) => ({ ...current, state: "x" }), { emit: emit as never });
      await expect(change()).rejects.toThrow(message);
      expect(await events()).toHaveLength(1);
      expect((await store.get(order, 1))?.json).toContain('"state":"open"');
    });

    test("is typed: another event or other data do not compile", () => {
      // @ts-expect-error there is no such event
      const wrongName = () => store.insert(order, ada, { emit: { burnt: {} } });
      // @ts-expect-error a carrier is text
      const wrongData = () => store.insert(order, ada, { emit: { shipped: { carrier: 1 } } });
      expect([typeof wrongName, typeof wrongData]).toEqual(["function", "function"]);
    });
  });

  test("a route publishes it: PUT /orders/:id/ship", async () => {
    // As in the README: routes/orders/[id]/ship.ts
    const ship = defineRoute(({ storeFor }) =>
      new Elysia().put(
        "",
        async ({ params, body, request, status }) => {
          const shipped = await storeFor(request).update(order, Number(params.id), (current) => ({ ...current, state: "shipped" }), {
            emit: { shipped: body },
          });
          return shipped ? new Response(shipped.json, { headers: { "content-type": "application/json" } }) : status(404);
        },
        { params: Type.Object({ id: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) }), body: order.events.shipped },
      ),
    );
    const api = openApi({
      wrap: (items) => storeWith(items, { insert: store.insert.bind(store), update: store.update.bind(store) }),
      routes: [
        { file: "orders.ts", path: "/orders", route: crud(order) },
        { file: "orders/[id]/ship.ts", path: "/orders/:id/ship", route: ship },
      ],
    });
    await api.send("POST", "/orders", { customer: "Ada" });
    const answer = await api.send("PUT", "/orders/1/ship", { carrier: "DHL" });
    expect([answer.status, answer.json()]).toMatchObject([200, { id: 1, state: "shipped", version: 2 }]);
    expect((await events()).at(-1)).toMatchObject({ type: "order.shipped", order: answer.json(), data: { carrier: "DHL" } });
    expect((await api.send("PUT", "/orders/1/ship", { carrier: "DHL", weight: 1 })).status).toBe(422);
    expect((await api.send("PUT", "/orders/9/ship", { carrier: "DHL" })).status).toBe(404);
    expect(await events()).toHaveLength(3);
    await api.close();
  });
});
