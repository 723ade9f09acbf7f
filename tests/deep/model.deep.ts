// More of the stories of model.test.ts, and the same on RabbitMQ and PostgreSQL.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "../support/delivery-stories";
import { describeWithPostgres, sharedPostgres } from "../support/postgres";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

setDefaultTimeout(600_000);

const limitMs = 580_000;

test("without a broker, a consumer does as the model says", () => tellStories({ runs: 100, commands: 30, limitMs }));

describeWithPostgres("on PostgreSQL, without a broker", () => {
  test("a consumer does as the model says", async () => tellStories({ runs: 30, commands: 30, limitMs, postgres: await sharedPostgres() }));
});

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();

  test("a consumer does as the model says", () => tellStories({ runs: 30, commands: 30, limitMs, rabbitmqUrl: rabbit().url }));

  describeWithPostgres("and PostgreSQL", () => {
    test("a consumer does as the model says", async () =>
      tellStories({ runs: 30, commands: 30, limitMs, postgres: await sharedPostgres(), rabbitmqUrl: rabbit().url }));
  });
});
