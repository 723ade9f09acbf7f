// The stories of model.test.ts, told to a consumer on RabbitMQ.
import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { tellStories } from "./support/delivery-stories";
import { describeWithRabbit, type Rabbit, startRabbit } from "./support/rabbit";

setDefaultTimeout(120_000);

describeWithRabbit("RabbitMQ", () => {
  let rabbit: Rabbit;
  beforeAll(async () => {
    rabbit = await startRabbit();
  });
  afterAll(() => rabbit?.dispose());

  test("a consumer does as the model says", () => tellStories({ runs: 8, commands: 30, limitMs: 90_000, rabbitmqPort: rabbit.port }));
});
