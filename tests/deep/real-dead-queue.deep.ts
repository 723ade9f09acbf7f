// Several programs that read the dead letters of one queue at once, on a real RabbitMQ.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChannelModel, connect } from "amqplib";
import { readConfig } from "../../src/config/config";
import type { RabbitmqConfig } from "../../src/config/rabbitmq";
import { QueueUnavailable } from "../../src/delivery/queue-errors";
import { Broker } from "../../src/rabbitmq/connection";
import { RabbitDeadLetters } from "../../src/rabbitmq/dead-letters";
import { aborted } from "../../src/timing/pause";
import { deadEvents, deadQueueOnRabbitmq } from "../support/dead-letters";
import { eventually } from "../support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { recordedLog } from "../support/recorded-log";

setDefaultTimeout(60_000);

const queue = "order_events";
const dead = `${queue}.dead`;

describeWithRabbit("several readers of one queue of dead letters", () => {
  const rabbit = useRabbit();
  let connection: ChannelModel;
  const brokers: Broker[] = [];

  beforeEach(async () => {
    connection = await connect(rabbit().url);
  });
  afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.close()));
    await connection.close();
    await emptyBroker(rabbit());
  });

  /** As a process has it. */
  async function connected(): Promise<Broker> {
    const config = readConfig({ isTerminal: false, environment: { RABBITMQ_URL: rabbit().url } }).rabbitmq as RabbitmqConfig;
    const broker = await Broker.connect(config, recordedLog().log);
    brokers.push(broker);
    await eventually(() => broker.state === "connected" || undefined, "the connection");
    return broker;
  }

  const deadLettersOf = (broker: Broker) => new RabbitDeadLetters(broker, async () => [queue]);

  async function filled(count: number, name = queue): Promise<string[]> {
    const channel = await connection.createChannel();
    await channel.assertQueue(name, { durable: true });
    await channel.close();
    const events = deadEvents(count);
    await deadQueueOnRabbitmq(() => rabbit().url).fill(name, events);
    return events.map(({ id }) => id);
  }

  /** Takes all that is in a queue. */
  async function idsIn(name: string): Promise<string[]> {
    const channel = await connection.createChannel();
    const ids: string[] = [];
    for (let message = await channel.get(name, { noAck: true }); message; message = await channel.get(name, { noAck: true })) {
      ids.push(message.properties.messageId);
    }
    await channel.close();
    return ids;
  }

  /**
   * Lets a rival take the queue when a subscription has ended and the next one of its reader has not begun, until the
   * reader has lost its channel. All confirms but the first come late: after a round trip, or when that channel is lost.
   */
  async function rivalBetweenSubscriptions(broker: Broker) {
    const rival = await connection.createChannel();
    await rival.prefetch(1);
    const left: Promise<unknown>[] = [];
    const open = broker.withConfirmChannel.bind(broker);
    broker.withConfirmChannel = (use) =>
      open((channel, closed) => {
        const [publish, cancel] = [channel.publish.bind(channel), channel.cancel.bind(channel)];
        let [published, isCancelled] = [0, false];
        const late = async () => {
          await rival.checkQueue(queue);
          if (isCancelled) await aborted(closed);
        };
        channel.publish = (exchange, key, content, options, confirm) => {
          published += 1;
          const isFirst = published === 1;
          return publish(exchange, key, content, options, (error, ok) => {
            if (isFirst) confirm?.(error, ok);
            else void late().then(() => confirm?.(error, ok));
          });
        };
        channel.cancel = async (tag) => {
          isCancelled = true;
          const cancelled = await cancel(tag);
          const { consumerTag } = await rival.consume(dead, () => {}, { exclusive: true });
          left.push(aborted(closed).then(() => Promise.all([rival.cancel(consumerTag), rival.recover()])));
          return cancelled;
        };
        return use(channel, closed);
      });
    return { hasLeft: () => Promise.all(left) };
  }

  test("four redrives at once, in one process or in two, put each dead letter back once", async () => {
    const [one, other] = [await connected(), await connected()];
    for (let round = 0; round < 20; round += 1) {
      const ids = await filled(100);
      const readers = (round % 2 === 0 ? [one, one, one, one] : [one, other, one, other]).map(deadLettersOf);
      const answers = await Promise.allSettled(readers.map((reader) => reader.redrive(queue, {})));
      const left = await idsIn(dead);
      expect([...(await idsIn(queue)), ...left].toSorted()).toEqual(ids.toSorted());
      let redriven = 0;
      for (const answer of answers) {
        if (answer.status === "rejected") expect(answer.reason).toBeInstanceOf(QueueUnavailable);
        else redriven += answer.value;
      }
      // Within one process, no redrive is broken off by another.
      if (round % 2 === 0) expect(redriven).toBe(100 - left.length);
    }
  });

  test("one process reads a queue once at a time, and another queue meanwhile", async () => {
    const broker = await connected();
    const open = broker.withConfirmChannel.bind(broker);
    let readers = 0;
    let most = 0;
    broker.withConfirmChannel = async (use) => {
      readers += 1;
      most = Math.max(most, readers);
      return await open(use).finally(() => {
        readers -= 1;
      });
    };
    await filled(100);
    await Promise.all([1, 2, 3].map(() => deadLettersOf(broker).list(queue, {}, 0, 1000)));
    expect(most).toBe(1);
    await filled(100, "other_events");
    await Promise.all([queue, "other_events"].map((name) => deadLettersOf(broker).list(name, {}, 0, 1000)));
    expect(most).toBe(2);
  });

  for (const [name, work] of [
    ["list", (deadLetters) => deadLetters.list(queue, {}, 0, 1000)],
    ["redrive", (deadLetters) => deadLetters.redrive(queue, {})],
  ] satisfies [string, (deadLetters: RabbitDeadLetters) => Promise<unknown>][]) {
    test(`another program takes the queue in the middle of a ${name}: that is said, and each dead letter is there once`, async () => {
      const ids = await filled(100);
      const broker = await connected();
      const rival = await rivalBetweenSubscriptions(broker);
      await expect(work(deadLettersOf(broker))).rejects.toThrow(`The dead letters of "${queue}" are in use by another program`);
      expect(await rival.hasLeft()).toHaveLength(1);
      const back = await idsIn(queue);
      expect([...back, ...(await idsIn(dead))]).toEqual(ids);
      expect(back.length > 0).toBe(name === "redrive");
    });
  }
});
