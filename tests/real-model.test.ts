// The stories of model.test.ts, told to a consumer on RabbitMQ.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "./support/delivery-stories";
import { describeWithRabbit, useRabbit } from "./support/rabbit";

setDefaultTimeout(120_000);

describeWithRabbit("RabbitMQ", () => {
  const rabbit = useRabbit();

  test("a consumer does as the model says", () => tellStories({ runs: 8, commands: 30, limitMs: 90_000, rabbitmqUrl: rabbit().url }));
});
