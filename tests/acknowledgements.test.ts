// Messages acknowledged together, on a channel that refuses a second acknowledgement.
import { describe, expect, spyOn, test } from "bun:test";
import type { Outcome } from "../src/delivery/outcome";
import { Acknowledgements } from "../src/rabbitmq/acknowledgements";
import type { ConsumeMessage } from "../src/rabbitmq/connection";
import { MockChannel } from "./support/mock-channel";
import { settled } from "./support/settled";

const handled: Outcome = { action: "ack", result: "handled" };

/** A channel that has delivered messages with the tags 1 to `count`. */
async function delivered(count: number) {
  const channel = new MockChannel();
  const frames = spyOn(channel, "ack");
  const messages: ConsumeMessage[] = [];
  await channel.consume("q", (message) => message && messages.push(message));
  for (let tag = 1; tag <= count; tag += 1) channel.deliver("");
  const unsettled = new Set(messages);
  const lost: number[] = [];
  const acknowledgements = new Acknowledgements(channel, unsettled, (message) => lost.push(message.fields.deliveryTag));
  const settle = (...tags: number[]) => {
    for (const tag of tags) {
      const message = messages[tag - 1] as ConsumeMessage;
      unsettled.delete(message);
      acknowledgements.add(message, handled);
    }
  };
  return {
    channel,
    acknowledgements,
    settle,
    lost,
    /** Acknowledgements sent: the tag, and whether it stands for all before it. */
    frames: () => frames.mock.calls.map(([message, allUpTo]) => [message.fields.deliveryTag, allUpTo]),
    acked: () => channel.acked.map((message) => message.fields.deliveryTag),
  };
}

describe("what is settled in one go", () => {
  test("has one frame, whatever the order", async () => {
    const { settle, frames, acked } = await delivered(4);
    settle(2, 4, 1, 3);
    expect(frames()).toEqual([]);
    await settled();
    expect(frames()).toEqual([[4, true]]);
    expect(acked()).toEqual([1, 2, 3, 4]);
  });

  test("goes on its own where an older message is unsettled", async () => {
    const { settle, frames, acked } = await delivered(6);
    settle(1, 2, 4, 6);
    await settled();
    expect(frames()).toEqual([
      [4, false],
      [6, false],
      [2, true],
    ]);
    settle(5, 3);
    await settled();
    expect(frames().slice(3)).toEqual([[5, true]]);
    expect(acked()).toEqual([4, 6, 1, 2, 3, 5]);
  });

  test("stands for no other where it is one message", async () => {
    const { settle, frames } = await delivered(2);
    settle(1);
    await settled();
    expect(frames()).toEqual([[1, false]]);
  });

  test("does not wait where the channel is to be closed", async () => {
    const { settle, acknowledgements, acked } = await delivered(2);
    settle(1, 2);
    acknowledgements.flush();
    expect(acked()).toEqual([1, 2]);
    await settled();
    expect(acked()).toEqual([1, 2]);
  });

  test("reports each message as lost if the channel has closed meanwhile", async () => {
    const { settle, channel, lost, acked } = await delivered(4);
    settle(1, 2, 4);
    await channel.close();
    await settled();
    expect([lost.toSorted(), acked()]).toEqual([[1, 2, 4], []]);
  });
});

test("in any order and in any parts, each message is acknowledged once, and none before it is settled", async () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const { settle, acknowledgements, acked } = await delivered(20);
    const chance = (tag: number) => Bun.hash(`${seed} ${tag}`) % 1000n;
    const order = Array.from({ length: 20 }, (_, index) => index + 1).toSorted((a, b) => Number(chance(a) - chance(b)));
    const done: number[] = [];
    for (const tag of order) {
      settle(tag);
      done.push(tag);
      if (chance(-tag) < 300n) {
        acknowledgements.flush();
        expect(acked().toSorted()).toEqual(done.toSorted());
      }
    }
    acknowledgements.flush();
    expect(acked().toSorted((a, b) => a - b)).toEqual(order.toSorted((a, b) => a - b));
  }
});
