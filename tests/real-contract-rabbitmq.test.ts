import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import { connect } from "amqplib";
import { describeContract } from "./support/contract";
import { describeWithRabbit, emptyBroker, type Rabbit, startRabbit } from "./support/rabbit";

setDefaultTimeout(60_000);

describeWithRabbit("RabbitMQ", () => {
  let rabbit: Rabbit;
  beforeAll(async () => {
    rabbit = await startRabbit();
  });
  afterAll(() => rabbit?.dispose());

  describeContract({
    rabbitmqUrl: () => rabbit.url,
    sharesQueues: true,
    restart: async () => {
      await rabbit.kill();
      await rabbit.start();
    },
    sendRaw: async (queue, bodies) => {
      const connection = await connect(rabbit.url);
      const channel = await connection.createConfirmChannel();
      for (const body of bodies) if (!channel.sendToQueue(queue, body)) await new Promise((resolve) => channel.once("drain", resolve));
      await channel.waitForConfirms();
      await connection.close();
    },
    cleanUp: () => emptyBroker(rabbit),
  });
});
