import { runConsumer } from "warren/consumer";
import { order } from "../src/domain/order";
import { payment } from "../src/domain/payment";
import { charge, refund } from "../src/payment-service";

await runConsumer({
  queue: "take-payments",
  events: ["payment.created", "payment.updated"],
  concurrency: 16,
  retry: { attempts: 1000 }, // at most a minute apart: the service may be away for hours
  async handle({ payment: { id } }, { change }) {
    const asked = await change.read(payment, id);
    if (asked.state === "refunding") {
      await refund(asked);
      await change.update(payment, id, { state: "refunded" });
    }
    if (asked.state !== "requested") return;
    if (!(await charge(asked))) {
      await change.update(payment, id, { state: "declined" });
      await change.update(order, asked.order, { payment: null }); // another card may pay
      return;
    }
    const { state } = await change.read(order, asked.order);
    await change.update(payment, id, { state: state === "open" ? "charged" : "refunding" });
    if (state !== "open") return;
    await change.update(order, asked.order, { paid: true });
    await change.cancel(`expire:${asked.order}`);
  },
});
