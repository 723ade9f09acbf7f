// What a consumer may rely on, on RabbitMQ. The same stories run without it, and under load in the deep suite.
import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import { describeContract } from "./support/contract";
import { describeWithRabbit, type Rabbit, startRabbit } from "./support/rabbit";
import { rabbitTransport } from "./support/rabbit-transport";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  let rabbit: Rabbit;
  beforeAll(async () => {
    rabbit = await startRabbit();
  });
  afterAll(() => rabbit?.dispose());

  describeContract(rabbitTransport(() => rabbit));
});
