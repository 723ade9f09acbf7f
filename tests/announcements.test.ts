// Announcements of the events that a queue gets: the signature, its content, and the key.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../src/config/config";
import { NotCancellable } from "../src/delivery/replays";
import { longestAnnouncement, parseAnnouncement } from "../src/rabbitmq/announcement";
import { proofOf, signatureHeader, signatureOf } from "../src/rabbitmq/announcement-signature";
import type { Broker, ConfirmChannel, Message } from "../src/rabbitmq/connection";
import { handleAnnouncements } from "../src/rabbitmq/handle-announcements";
import { Places } from "../src/rabbitmq/places";
import { Refusals } from "../src/rabbitmq/refusals";
import { signingKey } from "../src/rabbitmq/signing-key";
import { soleLeadership } from "../src/store/leadership";
import type { Refusal } from "../src/store/queue-store";
import { MockChannel } from "./support/mock-channel";
import { recordedLog } from "./support/recorded-log";
import { useFolder } from "./support/use-folder";

const key = "k".repeat(43);
const now = Date.parse("2026-02-18T18:00:00Z");
const hourMs = 3_600_000;

const folder = useFolder();

interface Sent {
  readonly user?: string | null;
  readonly sender?: string;
  readonly issuedAt?: string;
  readonly signedWith?: string;
  readonly change?: (body: string) => string;
}

function proof({ user = "consumer", sender = "consumer", issuedAt = new Date(now).toISOString(), signedWith = key, change }: Sent) {
  const body = JSON.stringify({ queue: "audit", types: ["item.created"], startFrom: "now", issuedAt, user });
  const signature = signatureOf(signedWith, Buffer.from(body));
  const content = Buffer.from(change ? change(body) : body);
  const properties = { headers: { [signatureHeader]: signature }, userId: sender };
  return proofOf({ content, properties } as unknown as Message, parseAnnouncement(content) as never, key, now);
}

test("a cancellation that cannot be carried out is refused once; the announcements behind it are read", async () => {
  const channel = new MockChannel();
  const refused: [string, string][] = [];
  const cancelled: string[] = [];
  const options = {
    broker: { withChannel: async () => {} } as unknown as Broker,
    replays: {
      async cancel(id: string) {
        if (id === "fill") throw new NotCancellable("A new queue is being filled.");
        cancelled.push(id);
        return undefined;
      },
    },
    ...{ key, onlySigned: true, log: recordedLog().log },
    refusals: { note: (name: string, problem: string) => void refused.push([name, problem]) },
  };
  void handleAnnouncements(channel as unknown as ConfirmChannel, soleLeadership(channel.signal), options as never);
  while (channel.consumers.size === 0) await new Promise(setImmediate);
  for (const cancel of ["fill", "other"]) {
    const body = JSON.stringify({ cancel, issuedAt: new Date().toISOString(), user: null });
    channel.deliver(body, { headers: { [signatureHeader]: signatureOf(key, Buffer.from(body)) } });
  }
  await channel.untilAcked(2);
  expect([cancelled, refused]).toEqual([
    ["other"],
    [
      ["fill", "A new queue is being filled."],
      ["other", "there is no such replay"],
    ],
  ]);
});

test("a recent announcement, signed with the key by its sender, is trusted", () => {
  expect(proof({})).toEqual({ signedAt: now });
  expect(proof({ user: null, sender: "whoever" })).toEqual({ signedAt: now });
  expect(proof({ issuedAt: new Date(now - 6 * 24 * hourMs).toISOString() })).toEqual({ signedAt: now - 6 * 24 * hourMs });
});

test.each<[string, Sent, string]>([
  ["another key", { signedWith: "x".repeat(43) }, "not signed with the key of this API"],
  ["another queue", { change: (body) => body.replace("audit", "mallory") }, "not signed with the key of this API"],
  ["other types", { change: (body) => body.replace("item.created", "item.deleted") }, "not signed with the key of this API"],
  ["another time", { change: (body) => body.replace("18:00:00", "18:00:01") }, "not signed with the key of this API"],
  ["a space more", { change: (body) => `${body} ` }, "not signed with the key of this API"],
  ["another sender", { sender: "mallory" }, "a RabbitMQ user other than its sender"],
  ["an old copy", { issuedAt: new Date(now - 8 * 24 * hourMs).toISOString() }, "older than seven days"],
  ["a time to come", { issuedAt: new Date(now + 2 * hourMs).toISOString() }, "ahead"],
  ["no time at all", { issuedAt: "yesterday" }, "older"],
])("%s is not", (_, sent, why) => {
  expect(proof(sent)).toEqual({ unsigned: expect.stringContaining(why) });
});

test("an announcement without a signature, with a wrong one, or without a key is not trusted", () => {
  const content = Buffer.from(JSON.stringify({ queue: "audit", types: [], startFrom: "now" }));
  for (const signature of [undefined, "", "v1=", "v1=AAAA", "v2=x", 7, Buffer.from("x"), signatureOf(key, content)]) {
    const message = { content, properties: { headers: { [signatureHeader]: signature } } } as unknown as Message;
    expect(proofOf(message, parseAnnouncement(content) as never, key, now)).toHaveProperty("unsigned");
    expect(proofOf(message, parseAnnouncement(content) as never, null, now)).toHaveProperty("unsigned");
  }
});

test("an announcement over the size limit is not read", () => {
  const of = (length: number) => parseAnnouncement(Buffer.from(`{"queue":"a","types":[],"startFrom":"now"${" ".repeat(length - 42)}}`));
  expect([of(longestAnnouncement), of(longestAnnouncement + 1)]).toEqual([{ queue: "a", types: [], startFrom: "now" }, undefined]);
});

test("the key is created once, for this user only; an invalid one, or one that others can read, is refused", () => {
  const { log } = recordedLog();
  const config = { warrenKey: null, dataDir: join(folder.path, "data") };
  const file = join(config.dataDir, "warren.key");
  const made = signingKey(config, log);
  expect(made).toMatch(/^[\w-]{43}$/);
  expect([statSync(file).mode & 0o777, readFileSync(file, "utf8").trim(), signingKey(config, log)]).toEqual([0o600, made, made] as never);
  chmodSync(file, 0o640);
  expect(() => signingKey(config, log)).toThrow(/warren\.key: other users can open this file.*chmod 600/);
  chmodSync(file, 0o600);
  writeFileSync(file, "short");
  expect(() => signingKey(config, log)).toThrow(ConfigError);
  expect(signingKey({ ...config, warrenKey: key }, log)).toBe(key);
});

test("if no key can be created, announcements are unsigned, and a warning is logged", () => {
  const { log, lines } = recordedLog();
  writeFileSync(join(folder.path, "file"), "");
  expect(signingKey({ warrenKey: null, dataDir: join(folder.path, "file") }, log)).toBeNull();
  expect(lines.map(({ msg }) => msg)).toEqual([expect.stringContaining("set WARREN_KEY")]);
  expect(existsSync(join(folder.path, "file", "warren.key"))).toBe(false);
});

test("each kind of refusal is logged once, for up to a hundred kinds", () => {
  const { log, lines } = recordedLog();
  const saved: Refusal[] = [];
  const store = { refusals: { save: async (refusal: Refusal) => void saved.push(refusal), list: async () => saved } };
  const refusals = new Refusals(store, log);
  for (let n = 0; n < 3; n += 1) refusals.note("audit", "it is not signed", "mallory");
  expect([lines.length, saved.length]).toEqual([1, 1]);
  expect(lines[0]).toMatchObject({ queue: "audit", user: "mallory", problem: "it is not signed" });
  for (let n = 0; n < 3000; n += 1) refusals.note(`${n}${"x".repeat(1000)}`, "it is not signed", undefined);
  expect([lines.length, saved.length]).toEqual([101, 100]);
  expect(Math.max(...saved.map(({ queue }) => queue.length))).toBe(200);
});

test("a limited number run at a time, the rest wait in order, and a failed one frees its place", async () => {
  const places = new Places();
  const started: number[] = [];
  const gates = Array.from({ length: 100 }, () => Promise.withResolvers<number>());
  const all = gates.map(({ promise }, n) =>
    places.run(() => {
      started.push(n);
      return promise;
    }),
  );
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
  expect(started).toEqual(upTo(32));
  gates[5]?.reject(new Error("lost"));
  expect(all[5]?.catch(() => "lost")).resolves.toBe("lost");
  await all[5]?.catch(() => {});
  await new Promise(setImmediate);
  expect(started).toEqual(upTo(33));
  for (const [n, gate] of gates.entries()) gate.resolve(n);
  await Promise.allSettled(all);
  expect(started).toEqual(upTo(100));
});
