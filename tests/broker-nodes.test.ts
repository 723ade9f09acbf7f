// In which order a process tries the nodes of a cluster, what it reports of them, and when it leaves one.
import { describe, expect, test } from "bun:test";
import type { ConfirmChannel } from "amqplib";
import { ConfirmDeadline } from "../src/rabbitmq/confirm-deadline";
import { addressOf, Nodes } from "../src/rabbitmq/nodes";

const urls = ["amqp://u:p@a:1/x", "amqp://u:p@b:2/x", "amqp://u:p@c:3/x"] as const;
const refused = new Error("connect ECONNREFUSED");
const untrusted = Object.assign(new Error("self signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });

describe("the order of nodes", () => {
  test("begins anywhere, so that processes spread", () => {
    const firsts = new Set(Array.from({ length: 200 }, () => new Nodes(urls).place));
    expect([...firsts].sort()).toEqual(["a:1", "b:2", "c:3"]);
  });

  test("each failure moves on to the next node; one that failed comes last", () => {
    const nodes = new Nodes(urls);
    const order = [1, 2, 3].map(() => {
      const { place, address } = nodes;
      expect(`${address.hostname}:${address.port}`).toBe(place);
      nodes.failed(refused);
      return place;
    });
    expect([...order].sort()).toEqual(["a:1", "b:2", "c:3"]);
    expect(nodes.place).toBe(order[0] as string);
    nodes.failed(refused);
    nodes.connected();
    expect(nodes.place).toBe(order[1] as string);
    // The connection is lost: the node that has been away for longest is the last but one.
    nodes.failed(refused);
    expect(nodes.place).toBe(order[2] as string);
    nodes.failed(refused);
    expect(nodes.place).toBe(order[0] as string);
  });

  test("the next node is tried soon; after all have failed, the pauses grow up to five seconds", () => {
    const nodes = new Nodes(urls);
    const pauses = Array.from({ length: 30 }, () => {
      nodes.failed(refused);
      return nodes.pauseMs;
    });
    const between = pauses.filter((_, index) => index % 3 !== 2);
    expect(Math.max(...between)).toBeLessThan(100);
    const rounds = pauses.filter((_, index) => index % 3 === 2);
    expect(rounds[0]).toBeGreaterThanOrEqual(140);
    expect(rounds[0]).toBeLessThan(260);
    expect(Math.min(...rounds.slice(6))).toBeGreaterThan(2600);
    expect(Math.max(...rounds)).toBeLessThanOrEqual(5000);
    nodes.connected();
    nodes.failed(refused);
    expect(nodes.pauseMs).toBeLessThan(100);
  });

  test("one node is tried again after growing pauses", () => {
    const nodes = new Nodes([urls[0]]);
    const pauses = [1, 2, 3].map(() => {
      nodes.failed(refused);
      return nodes.pauseMs;
    });
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(140 * 2 ** index);
      expect(pause).toBeLessThan(260 * 2 ** index);
    }
  });
});

describe("a node's trouble", () => {
  test("is reported once, until the node has been connected; a refusal in between is reported once as well", () => {
    const nodes = new Nodes([urls[0]]);
    const isKnown = (error: unknown) => nodes.failed(error).isKnown;
    expect([refused, refused, untrusted, refused, untrusted].map(isKnown)).toEqual([false, true, false, true, true]);
    nodes.connected();
    expect([untrusted, refused].map(isKnown)).toEqual([false, true]);
  });

  test("of one node is reported, although another is connected", () => {
    const nodes = new Nodes(urls);
    const known = [1, 2, 3, 4].map(() => nodes.failed(refused).isKnown);
    expect(known).toEqual([false, false, false, true]);
    nodes.connected();
    // The connected one, then two that have been away all the time.
    expect([1, 2, 3].map(() => nodes.failed(refused).isKnown)).toEqual([false, true, true]);
  });

  test("is expected of an optional broker, but not a refusal", () => {
    const nodes = new Nodes([urls[0]], true);
    expect(nodes.failed(refused).isKnown).toBe(true);
    expect(nodes.failed(untrusted)).toMatchObject({ isKnown: false, error: expect.stringContaining("RABBITMQ_CA_FILE") });
  });

  test("is that of the broker only when no node is left", () => {
    const nodes = new Nodes(urls);
    nodes.failed(refused);
    nodes.failed(refused);
    expect(nodes.trouble).toBeUndefined();
    nodes.failed(untrusted);
    for (const place of ["a:1", "b:2", "c:3"]) expect(nodes.trouble).toContain(`${place}: `);
    expect(nodes.trouble).toContain("connect ECONNREFUSED");
    nodes.connected();
    expect(nodes.trouble).toBeUndefined();
    const one = new Nodes([urls[0]]);
    one.failed(refused);
    expect(one.trouble).toBe("connect ECONNREFUSED");
  });

  test("shows neither user nor password", () => {
    expect(new Nodes([urls[0]]).shown).toBe("amqp://***@a:1/x");
  });
});

test("an address has everything that the URL has, decoded as UTF-8", () => {
  const url = "amqps://a%40b:%C3%A9%3A@[::1]/x%2Fy?frameMax=8192&channelMax=9&heartbeat=7&locale=de_DE&maxFrameSize=1";
  expect(addressOf(url)).toEqual({
    ...{ protocol: "amqps", hostname: "::1", port: 5671, username: "a@b", password: "é:", vhost: "x%2Fy" },
    ...{ frameMax: 8192, channelMax: 9, heartbeat: 7, locale: "de_DE", maxFrameSize: 1 },
  });
  expect(addressOf("amqp://host")).toEqual({ protocol: "amqp", hostname: "host", port: 5672, vhost: "", heartbeat: 5 });
});

describe("the deadline for confirms", () => {
  function watched() {
    const channel = { lwm: 1, unconfirmed: [] as unknown[] };
    const closed = new AbortController();
    const overdue: number[] = [];
    const state = { isBlocked: false };
    const deadline = new ConfirmDeadline(
      () => state.isBlocked,
      (waitedMs) => overdue.push(waitedMs),
    );
    deadline.stop();
    const watch = () => deadline.watch(channel as unknown as ConfirmChannel, closed.signal);
    watch();
    return { channel, closed, overdue, state, watch, look: (seconds: number) => deadline.look(seconds * 1000) };
  }

  test("passes when the oldest message has waited for 30 s", () => {
    const { channel, overdue, look } = watched();
    look(0);
    look(100);
    channel.unconfirmed.push(() => {});
    look(101);
    look(131);
    expect(overdue).toEqual([]);
    look(132);
    expect(overdue).toEqual([31_000]);
  });

  test("begins anew with each confirm of the oldest message, and while RabbitMQ says that it accepts none", () => {
    const { channel, overdue, state, look } = watched();
    channel.unconfirmed.push(() => {});
    for (let seconds = 0; seconds < 100; seconds += 20) {
      look(seconds);
      channel.lwm += 1;
    }
    state.isBlocked = true;
    for (let seconds = 100; seconds < 300; seconds += 20) look(seconds);
    state.isBlocked = false;
    look(301);
    look(309);
    expect(overdue).toEqual([]);
    look(311);
    expect(overdue).toHaveLength(1);
  });

  test("doubles each time, up to four minutes, until something is confirmed", () => {
    const { channel, overdue, watch, look } = watched();
    channel.unconfirmed.push(() => {});
    let now = 0;
    const waits = Array.from({ length: 6 }, () => {
      watch();
      const before = overdue.length;
      while (overdue.length === before) look(now++);
      return Math.floor((overdue.at(-1) ?? 0) / 30_000);
    });
    expect(waits).toEqual([1, 2, 4, 8, 8, 8]);
    watch();
    look(now++);
    channel.lwm += 1;
    look(now++);
    const before = overdue.length;
    while (overdue.length === before) look(now++);
    expect(overdue.at(-1)).toBe(31_000);
  });

  test("does not apply to a closed channel", () => {
    const { channel, closed, overdue, look } = watched();
    channel.unconfirmed.push(() => {});
    look(0);
    closed.abort();
    look(1000);
    expect(overdue).toEqual([]);
  });
});
