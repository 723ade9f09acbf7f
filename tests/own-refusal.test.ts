// A route of a user's own refuses a change: 409, as a problem, documented, and with nothing changed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineRoute, HttpProblem, Problem } from "warren/route";
import { openApi, type TestApi } from "./support/api";
import type { OpenApi } from "./support/openapi";
import { order } from "./support/resources";

const pay = defineRoute(({ storeFor }) =>
  new Elysia().post(
    "",
    async ({ params: { id }, request }) => {
      const paid = await storeFor(request).update(order, Number(id), (current) => {
        if (current.state === "paid") throw new HttpProblem(409, `Order ${id} is paid already.`);
        return { ...current, state: "paid" as const };
      });
      if (!paid) throw new HttpProblem(404, `There is no order ${id}.`);
      return new Response(paid.json, { headers: { "content-type": "application/json" } });
    },
    {
      params: Type.Object({ id: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) }),
      response: { 200: order.record, 404: Problem, 409: Problem },
    },
  ),
);

let api: TestApi;
beforeAll(() => {
  api = openApi({
    routes: [
      { file: "orders.ts", path: "/orders", route: crud(order) },
      { file: "orders/[id]/pay.ts", path: "/orders/:id/pay", route: pay },
    ],
  });
});
afterAll(() => api.close());

describe("a refusal of one's own", () => {
  test("is 409 with its type and its detail, and changes nothing", async () => {
    await api.send("POST", "/orders", order.example);
    expect((await api.send("POST", "/orders/1/pay")).json()).toMatchObject({ state: "paid", version: 2 });
    const events = await api.events();
    const answer = await api.send("POST", "/orders/1/pay");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([409, "application/problem+json"]);
    const problem = answer.json<Record<string, unknown>>();
    expect(problem).toMatchObject({ type: "/problems/conflict", status: 409, detail: "Order 1 is paid already." });
    expect((await api.send("GET", problem["type"] as string)).text).toStartWith("409 ");
    expect((await api.send("GET", "/orders/1")).json()).toMatchObject({ version: 2 });
    expect(await api.events()).toEqual(events);
    expect(api.lines.filter(({ level }) => level !== "info" && level !== "debug")).toEqual([]);
  });

  test("is in the OpenAPI document where its route declares it", async () => {
    const document = (await api.send("GET", "/swagger/json")).json<OpenApi>();
    expect(document.paths["/orders/{id}/pay"]?.["post"]?.responses["409"]).toMatchObject({
      description: expect.any(String),
      content: { "application/problem+json": { example: { type: "/problems/conflict", status: 409 } } },
    });
  });
});
