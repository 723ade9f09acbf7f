import { expect, test } from "bun:test";
import { buildEvent, testConsumer } from "warren/testing";
import { paidOrders } from "../consumers/paid-orders";

test("a paid order is handled", async () => {
  await using consumer = testConsumer(paidOrders);
  const event = buildEvent("order.paid", { id: 7, state: "paid" }, { data: { payment: "p1" } });
  expect(await consumer.deliver(event)).toEqual({ action: "ack", result: "handled" });
});
