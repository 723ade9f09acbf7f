// What a consumer may rely on, on RabbitMQ, with tens of thousands of messages.
import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import { describeContract } from "../support/contract";
import { describeWithRabbit, type Rabbit, startRabbit } from "../support/rabbit";
import { rabbitTransport } from "../support/rabbit-transport";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  let rabbit: Rabbit;
  beforeAll(async () => {
    rabbit = await startRabbit();
  });
  afterAll(() => rabbit?.dispose());

  describeContract(
    rabbitTransport(() => rabbit),
    { underLoad: true },
  );
});
