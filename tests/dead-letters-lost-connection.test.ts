// A connection to RabbitMQ that is lost while it is asked about dead letters: a 503 for whoever asked, not a fault of the service.
import { expect, test } from "bun:test";
import { QueueUnavailable } from "../src/delivery/queue-errors";
import type { Broker } from "../src/rabbitmq/connection";
import { RabbitDeadLetters } from "../src/rabbitmq/dead-letters";

/** A connection on which the next question gets no reply. */
const lost = {
  state: "connected",
  withChannel: () => Promise.reject(new Error("Channel ended, no reply will be forthcoming")),
} as unknown as Broker;
const deadLetters = new RabbitDeadLetters(lost, async () => ["stock"]);

test.each([
  ["groups", () => deadLetters.scan("stock", {}, 10, () => {})],
  ["a list", () => deadLetters.list("stock", {}, 0, 10)],
  ["a job", () => deadLetters.check("stock")],
  ["a redrive", () => deadLetters.redrive("stock", {})],
  ["a discard", () => deadLetters.discard("stock", {})],
])("%s", async (_, ask) => {
  const error = await ask().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(QueueUnavailable);
  expect((error as Error).message).toBe('RabbitMQ did not say what is in "stock": Channel ended, no reply will be forthcoming.');
});
