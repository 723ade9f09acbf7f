// `bun run erase` on a system that has run, on both transports: dead letters, queues and consumers that are told.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../support/command";
import { untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { requests } from "../support/requests";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, env, folder, runOn } = useSystem();
const { post, get } = requests(() => api.url);
const marker = "zoranamarker";

/** Returns the files of the service that have a text. Logs of the test's own programs are not among them. */
function filesWith(text: string): string[] {
  const files = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((file) => readFileSync(file).includes(text));
}

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);
  beforeEach(api.start);

  test("removes the dead letters of the record, keeps those of others, and tells consumers that name the event", async () => {
    consumers.fails({ [marker]: "reject", eve: "reject" });
    const mailer = await consumers.start({ queue: "mailer" });
    const named = await consumers.start({ queue: "named", events: ["item.created", "item.erased"] });
    for (const name of [marker, "eve"]) await post("/items", { name });
    await untilDead(api.url, "mailer", 2);
    await untilDead(api.url, "named", 2);
    consumers.works();
    for (const each of [mailer, named]) await each.stop();
    await api.stop();

    const erase = (...words: string[]) => command("erase", ["item", "1", ...words], env);
    const shown = await erase();
    expect([shown.code, shown.stdout + shown.stderr]).toEqual([
      0,
      expect.stringMatching(/^Would erase item 1: .*2 (dead letters on RabbitMQ|failed events)/),
    ]);
    const { code, stdout } = await erase("--yes");
    expect([code, stdout.split("\n")]).toEqual([
      0,
      [
        expect.stringMatching(/^Erased item 1: 1 record, 1 event in the log, 2 (dead letters on RabbitMQ|failed events of consumers)\.$/),
        "These consumers and webhooks read its events. Each has to delete what it keeps itself:",
        expect.stringMatching(/^ {2}mailer/),
        expect.stringMatching(/^ {2}named/),
        "item.erased is published when the API runs again.",
      ],
    ]);
    expect(filesWith(marker)).toEqual([]);

    await api.start();
    const again = await consumers.start({ queue: "named", events: ["item.created", "item.erased"] });
    expect(await again.untilSeen(1)).toMatchObject([{ type: "item.erased", item: 1 }]);
    const unnamed = await consumers.start({ queue: "unnamed" });
    // The log has a tombstone, a created item and an erasure: only the second reaches a consumer that names no type.
    expect(await unnamed.untilSeen(1)).toMatchObject([{ type: "item.created", item: 2 }]);
    for (const queue of ["mailer", "named"]) {
      const { deadLetters } = await get<{ deadLetters: { body: { item: { name: string } } }[] }>(`/dead-letters/${queue}`);
      expect(deadLetters.map(({ body }) => body.item.name)).toEqual(["eve"]);
    }
  });
}

describe("without RabbitMQ", () => onEither(() => "none"));

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));
});
