// Promises to a consumer, on RabbitMQ. The same stories run without it, and under load in the deep suite.
import { setDefaultTimeout } from "bun:test";
import { describeContract } from "./support/contract";
import { isInFull } from "./support/in-full";
import { describeWithRabbit, useRabbit } from "./support/rabbit";
import { rabbitTransport } from "./support/rabbit-transport";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  const rabbit = useRabbit();

  describeContract(rabbitTransport(rabbit), isInFull ? "all" : "main");
});
