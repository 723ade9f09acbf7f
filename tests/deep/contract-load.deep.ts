// Promises to a consumer, on RabbitMQ, with tens of thousands of messages.
import { setDefaultTimeout } from "bun:test";
import { describeContract } from "../support/contract";
import { describeWithRabbit, useOwnRabbit } from "../support/rabbit";
import { rabbitTransport } from "../support/rabbit-transport";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  const rabbit = useOwnRabbit();

  async function restart(): Promise<void> {
    await rabbit().kill();
    await rabbit().start();
  }
  describeContract(rabbitTransport(rabbit, restart), "load");
});
