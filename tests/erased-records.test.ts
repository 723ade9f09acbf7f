// What is left of an erased record, and what consumers hear of it. The command is in deep/real-erase-command.deep.ts.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import type { ConsumerOptions } from "warren/consumer";
import { crud } from "warren/crud";
import { defineResource, pastVersion } from "warren/resource";
import { Catalogue } from "../src/schema/catalogue";
import { withoutData } from "../src/store/erasure";
import { openApi } from "./support/api";
import { badge, customer, purchase } from "./support/customers";

const marker = "zoranamarker";
const resources = [customer, purchase, badge];

test("over HTTP, an erased record has a history that only says so, and no versions", async () => {
  const api = openApi({ resources, routes: [{ file: "customers.ts", path: "/customers", route: crud(customer) }] });
  await api.send("POST", "/customers", { email: marker });
  await api.store.erase(customer, 1, { actor: { subject: "officer", scopes: [] } });
  const history = (await api.send("GET", "/customers/1/history")).json();
  expect(history).toMatchObject({
    history: [{ type: "customer.erased", version: null, actor: "officer", changes: null }],
    complete: false,
  });
  expect((await api.send("GET", "/customers/1?version=1")).status).toBe(410);
  expect((await api.send("POST", "/customers/1/restore")).status).toBe(404);
  const feed = (await api.send("GET", "/events")).text;
  expect(feed).not.toContain(marker);
  expect((await api.send("GET", "/events?resource=customer&id=1")).json()).toMatchObject({
    events: [{ event: { type: "customer.erased" } }],
  });
  await api.close();
});

test("patterns do not select the event, since its record has no fields; a consumer names it", () => {
  const catalogue = new Catalogue(resources);
  expect(catalogue.select(["#", "customer.*"]).filter((type) => type.endsWith(".erased"))).toEqual([]);
  expect(catalogue.select(["customer.erased"])).toEqual(["customer.erased"]);
  expect(catalogue.select(["*.erased"])).toEqual(["customer.erased", "purchase.erased", "badge.erased"]);
});

test("a consumer that names the event gets its type", () => {
  const own = {
    events: ["item.*", "item.erased"],
    handle(event) {
      if (event.type !== "item.erased") return event.item.name;
      // @ts-expect-error the record has only its id
      return `${event.item.id} ${event.item.name}`;
    },
  } satisfies ConsumerOptions<"item.*" | "item.erased">;
  expect(own.events).toHaveLength(2);
});

test("a stored answer loses private fields and those of earlier versions, too, and keeps what is not of the record", () => {
  const user = defineResource({
    name: "user",
    fields: { name: Type.String(), hash: Type.String() },
    private: ["hash"],
    past: [pastVersion({ fields: { alias: Type.String() }, up: ({ alias }) => ({ name: alias, hash: "" }) })],
    example: { name: "a", hash: "b" },
  });
  const stored = (id: number, fields: object) => JSON.stringify({ id, ...fields, version: 2, createdAt: "x", updatedAt: "y" });
  const erased = '{"id":4,"version":2}';
  const without = (answer: string) => withoutData({ resource: user, id: 4 }, answer);
  for (const fields of [{ name: "n", hash: "h" }, { name: "n" }, { alias: "n" }]) expect(without(stored(4, fields))).toBe(erased);
  const others = [stored(40, { name: "n" }), stored(4, { name: "n", colour: "red" }), "not JSON"];
  for (const other of others) expect(without(other)).toBe(other);
  const line = (number: number, user: string) => `{"line":${number},"status":201,"user":${user}}`;
  const bulk = (first: string) => [line(1, first), line(2, stored(40, { name: "n" }))].join("\n");
  expect(without(bulk(stored(4, { name: "n" })))).toBe(bulk(erased));
});
