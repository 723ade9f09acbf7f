// What a consumer may rely on, on RabbitMQ, with tens of thousands of messages.
import { setDefaultTimeout } from "bun:test";
import { describeContract } from "../support/contract";
import { describeWithRabbit, useRabbit } from "../support/rabbit";
import { rabbitTransport } from "../support/rabbit-transport";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  const rabbit = useRabbit();

  describeContract(rabbitTransport(rabbit), { underLoad: true });
});
