// The stories of model.test.ts, with the data on PostgreSQL. A few: lanes of a dead process are taken over after three seconds only.
import { setDefaultTimeout, test } from "bun:test";
import { tellStories } from "./support/delivery-stories";
import { describeWithPostgres, sharedPostgres } from "./support/postgres";
import { describeWithRabbit, useRabbit } from "./support/rabbit";

setDefaultTimeout(120_000);

const few = { runs: 4, commands: 12, limitMs: 90_000 };

describeWithPostgres("on PostgreSQL", () => {
  test("without a broker, a consumer does as the model says", async () => tellStories({ ...few, postgres: await sharedPostgres() }));

  describeWithRabbit("with RabbitMQ", () => {
    const rabbit = useRabbit();

    test("a consumer does as the model says", async () =>
      tellStories({ ...few, postgres: await sharedPostgres(), rabbitmqUrl: rabbit().url }));
  });
});
