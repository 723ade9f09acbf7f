// Other programs' messages on a real RabbitMQ: read as they are, or kept with a reason that says what would be right.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ChannelModel, connect, type Options } from "amqplib";
import { buildEvent } from "../../src/consumer/test-consumer";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, send, startApi, startLogger } from "../support/processes";
import { untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";

setDefaultTimeout(60_000);

interface Shown {
  readonly reason: string;
  readonly error: string;
  readonly body: unknown;
  readonly bodyEncoding: string;
}

describeWithRabbit("messages of other programs", () => {
  const rabbit = useRabbit();
  let folder: ReturnType<typeof temporaryFolder>;
  let connection: ChannelModel;
  let env: Record<string, string>;

  beforeEach(async () => {
    folder = temporaryFolder();
    env = environment(folder.path, rabbit().url);
    connection = await connect(rabbit().url);
  });
  afterEach(async () => {
    await endAll();
    await connection.close();
    folder.remove();
    await emptyBroker(rabbit());
  });

  async function publish(...messages: readonly (readonly [body: string | Uint8Array, options?: Options.Publish])[]) {
    const channel = await connection.createConfirmChannel();
    for (const [body, options] of messages) channel.publish("events", "item.created", Buffer.from(body as string), options ?? {});
    await channel.waitForConfirms();
  }

  const text = (name: string) => JSON.stringify(buildEvent("item.created", { name }));

  test("are handled with a byte order mark, an identity encoding, or the name of the charset for one", async () => {
    await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    const marked = `\uFEFF${text("marked")}`;
    await publish([marked], [text("identity"), { contentEncoding: "identity" }], [text("celery"), { contentEncoding: "utf-8" }]);
    const lines = await logger.lines(/^{/, 3);
    expect(lines.map((line) => (JSON.parse(line) as { item: { name: string } }).item.name)).toEqual(["marked", "identity", "celery"]);
  });

  test("are dead letters with the reason, and shown as they were sent, where they would be read as something else", async () => {
    const api = await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    const large = ["738529527931269425", "738529527931269431"].map((id) => text("large").replace('"id":1,', `"id":${id},`));
    const early = JSON.stringify(buildEvent("item.created", {}, { timestamp: "yesterday" }));
    await publish(
      [Bun.gzipSync(Buffer.from(text("packed"))), { contentEncoding: "gzip" }],
      [text("labelled"), { contentEncoding: "gzip" }],
      ...large.map((body) => [body] as const),
      [early],
      [text("fine")],
    );
    await logger.line('"fine"');
    expect(logger.stdout.filter((line) => line.startsWith("{"))).toHaveLength(1);
    await untilDead(api.url, "item_events", 5);
    const dead = async () => {
      const answer = await send("GET", `${api.url}/dead-letters/item_events`);
      return ((await answer.json()) as { deadLetters: Shown[] }).deadLetters;
    };
    const letters = await dead();
    const encoded = 'unsupported content_encoding "gzip"; send the event as uncompressed JSON in UTF-8';
    const tooLarge = "/item/id: Expected number between -9007199254740991 and 9007199254740991";
    expect(letters.map(({ reason, error }) => [reason, error])).toEqual([
      ["encoded", encoded],
      ["encoded", encoded],
      ["invalid", tooLarge],
      ["invalid", tooLarge],
      ["not-an-event", expect.stringMatching(/^\/timestamp: .*RFC 3339/)],
    ]);
    expect(letters.map(({ bodyEncoding }) => bodyEncoding)).toEqual(["base64", "json", "text", "text", "json"]);
    expect(letters.slice(2, 4).map(({ body }) => body)).toEqual(large);
    // A redriven one says the same of itself.
    await send("POST", `${api.url}/dead-letters/item_events/redrive`, { reason: "encoded" });
    await untilDead(api.url, "item_events", 5);
    expect((await dead()).filter(({ reason }) => reason === "encoded")).toHaveLength(2);
  });
});
