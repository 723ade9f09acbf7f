import { type ConsumerOptions, runConsumer } from "warren/consumer";

export const paidOrders = {
  queue: "paid-orders",
  events: ["order.paid"],
  handle: ({ order, data }) => console.log(`Order ${order.id} is paid: ${data.payment}`),
} satisfies ConsumerOptions<"order.paid">;

if (import.meta.main) await runConsumer(paidOrders);
