// A connection to RabbitMQ that is lost while it is asked about a queue: a 503 for whoever asked, not a fault of the service.
import { expect, test } from "bun:test";
import { QueueUnavailable } from "../src/delivery/queue-errors";
import { queueRemover } from "../src/engine/remove-queue";
import type { Broker } from "../src/rabbitmq/connection";
import { RabbitDeadLetters } from "../src/rabbitmq/dead-letters";
import { RabbitReplays } from "../src/rabbitmq/replays";

/** A connection on which the next question gets no reply. */
const lost = {
  state: "connected",
  withChannel: () => Promise.reject(new Error("Channel ended, no reply will be forthcoming")),
} as unknown as Broker;
const deadLetters = new RabbitDeadLetters(lost, async () => ["stock"]);
const replays = new RabbitReplays({ broker: lost } as ConstructorParameters<typeof RabbitReplays>[0]);

test.each([
  ["groups", () => deadLetters.scan("stock", {}, 10, () => {})],
  ["a list", () => deadLetters.list("stock", {}, 0, 10)],
  ["a job", () => deadLetters.check("stock")],
  ["a redrive", () => deadLetters.redrive("stock", {})],
  ["a discard", () => deadLetters.discard("stock", {})],
  ["a replay", () => replays.typesOn("stock")],
])("%s", async (_, ask) => {
  const error = await ask().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(QueueUnavailable);
  expect((error as Error).message).toBe('RabbitMQ gave no answer about the queue "stock": Channel ended, no reply will be forthcoming');
});

test("the removal of a queue", async () => {
  const broker = { state: "connected" } as { state: Broker["state"] };
  const ask = () => {
    broker.state = "closed";
    return Promise.reject(new Error("Channel ended, no reply will be forthcoming"));
  };
  const remove = queueRemover({ broker, ask } as unknown as Parameters<typeof queueRemover>[0]);
  expect(remove("stock", { force: false })).rejects.toThrow(new QueueUnavailable("Cannot reach RabbitMQ."));
});
