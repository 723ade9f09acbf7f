// Publishing on a confirm channel, with the broker's answers made up.
import { beforeEach, describe, expect, test } from "bun:test";
import { type OutgoingMessage, toMessage } from "../src/rabbitmq/message";
import { Publisher, Unroutable, Unsendable } from "../src/rabbitmq/publisher";
import { MockChannel, type Published } from "./support/mock-channel";
import { settled } from "./support/settled";

let channel: MockChannel;
let publisher: Publisher;
beforeEach(() => {
  channel = new MockChannel();
  publisher = new Publisher(channel);
});

function message(id: string): OutgoingMessage {
  return toMessage(
    { position: 1, id, type: "item.created", subject: 1, timestamp: "2026-02-18T18:23:45.123Z", body: "{}", traceparent: null },
    "events",
  );
}

/** Publishes, and watches what becomes of it. */
function publish(id: string): { sent: Published; outcome: Promise<unknown>; state: () => string } {
  let state = "pending";
  const promise = publisher.publish(message(id));
  const outcome = promise.then(
    () => {
      state = "fulfilled";
    },
    (error: unknown) => {
      state = "rejected";
      return error;
    },
  );
  return { sent: channel.published.at(-1) as Published, outcome, state: () => state };
}

describe("publish", () => {
  test("is always mandatory, and an event is persistent; the message is kept as it is", () => {
    const { sent } = publish("a");
    expect([sent.exchange, sent.routingKey, String(sent.content)]).toEqual(["events", "item.created", "{}"]);
    expect(sent.options).toEqual({ ...message("a").options, mandatory: true, persistent: true });
  });

  test("fulfils at the broker's confirm, and not before", async () => {
    const { sent, outcome, state } = publish("a");
    await settled();
    expect(state()).toBe("pending");
    sent.confirm();
    await outcome;
    expect(state()).toBe("fulfilled");
  });

  test("rejects at a nack", async () => {
    const { sent, outcome } = publish("a");
    sent.nack();
    expect(await outcome).toEqual(new Error("message nacked"));
  });

  test("rejects with an Error whatever the channel calls back with", async () => {
    for (const odd of ["text", { code: 1 }, true]) {
      const { sent, outcome } = publish("a");
      sent.callback(odd);
      expect(await outcome).toEqual(new Error("RabbitMQ refused the message"));
    }
  });

  test("a return is Unroutable, although the confirm after it says ok", async () => {
    const { sent, outcome } = publish("a");
    sent.return();
    const error = await outcome;
    expect(error).toBeInstanceOf(Unroutable);
    expect(error).toMatchObject({
      message: 'No queue is bound for "item.created" on exchange "events"',
      routedTo: { options: { messageId: "a" } },
    });
  });

  test("a return concerns its own message only, and only once", async () => {
    const [first, second] = [publish("a"), publish("b")];
    second.sent.return();
    first.sent.confirm();
    await Promise.all([first.outcome, second.outcome]);
    expect([first.state(), second.state()]).toEqual(["fulfilled", "rejected"]);
    const again = publish("b");
    again.sent.confirm();
    await again.outcome;
    expect(again.state()).toBe("fulfilled");
  });

  test("confirms in any order reach the right promises", async () => {
    const [a, b, c] = [publish("a"), publish("b"), publish("c")];
    c.sent.confirm();
    a.sent.nack();
    await Promise.all([a.outcome, c.outcome]);
    expect([a.state(), b.state(), c.state()]).toEqual(["rejected", "pending", "fulfilled"]);
  });

  test("rejects on a closed channel, which throws; and when it closes before the confirm", async () => {
    const before = publish("a");
    channel.close();
    expect(await before.outcome).toEqual(new Error("channel closed"));
    await expect(publisher.publish(message("b"))).rejects.toThrow("Channel closed");
  });

  test("rejects when the message cannot be encoded", async () => {
    channel.publish = () => {
      throw new RangeError('The value of "offset" is out of range');
    };
    await expect(publisher.publish(message("a"))).rejects.toThrow(Unsendable);
  });
});

describe("drained", () => {
  test("is undefined while the socket keeps up", () => {
    publish("a");
    expect(publisher.drained).toBeUndefined();
  });

  test("a full socket has taken the message all the same; drained fulfils when there is room", async () => {
    channel.full = true;
    const { sent, outcome, state } = publish("a");
    const { drained } = publisher;
    if (!drained) throw new Error("drained is undefined on a full socket");
    let fulfilled = false;
    void drained.then(() => {
      fulfilled = true;
    });
    await settled();
    expect(fulfilled).toBe(false);
    channel.drain();
    await drained;
    expect(publisher.drained).toBeUndefined();
    sent.confirm();
    await outcome;
    expect(state()).toBe("fulfilled");
    expect(channel.published).toHaveLength(1);
  });

  test("a close ends the wait", async () => {
    channel.full = true;
    const { outcome } = publish("a");
    const { drained } = publisher;
    channel.close();
    await drained;
    await outcome;
    expect(publisher.drained).toBeUndefined();
  });
});
