// More of the stories of model.test.ts and real-model.test.ts.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "../support/delivery-stories";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

setDefaultTimeout(240_000);

test("without a broker, a consumer does as the model says", () => tellStories({ runs: 100, commands: 30, limitMs: 200_000 }));

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();

  test("a consumer does as the model says", () => tellStories({ runs: 30, commands: 30, limitMs: 200_000, rabbitmqUrl: rabbit().url }));
});
