import { UsageError } from "../../observe/command-line";
import { messageOf } from "../../observe/logging";
import { loadCatalogue } from "../../project/resources";
import type { Added } from "./added";
import { source } from "./code";
import { checkFileName, constantOf } from "./names";

/**
 * Returns the files of a new consumer, with a test that delivers each of its events.
 *
 * @param words Its name, which is that of its queue, then event types or patterns.
 * @throws {UsageError} for a name that is not possible, or an event that no resource has. The message lists the known events.
 */
export async function newConsumer([name, ...events]: readonly string[]): Promise<Added> {
  if (name === undefined || events.length === 0) {
    throw new UsageError("Missing name or event, such as: new consumer reminders ticket.created");
  }
  checkFileName("a consumer", name, "reminders");
  const catalogue = await loadCatalogue();
  let types: string[];
  try {
    types = catalogue.select(events);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
  return consumerFiles(name, events, types);
}

/** @param types The event types that match `events`. */
export function consumerFiles(name: string, events: readonly string[], types: readonly string[]): Added {
  return {
    files: { [`consumers/${name}.ts`]: consumerFile(name, events, types), [`tests/${name}.test.ts`]: testFile(name, types) },
    next: [
      [`bun test tests/${name}.test.ts`, "runs its test"],
      [`bun run consumers/${name}.ts`, "runs it; the first time, it gets the past events too"],
    ],
  };
}

function consumerFile(name: string, events: readonly string[], types: readonly string[]): string {
  const quoted = events.map((event) => `"${event}"`);
  const resources = new Set(types.map((type) => type.split(".")[0] ?? ""));
  const [resource = ""] = resources;
  const constant = constantOf(resource);
  const taken = resource === constant ? resource : `${resource}: ${constant}`;
  const [event, what] = resources.size === 1 ? [`{ type, ${taken} }`, `{ type, id: ${constant}.id }`] : ["{ type, id }", "{ type, id }"];
  return source(
    'import { type ConsumerOptions, runConsumer } from "warren/consumer";',
    "",
    `export const ${constantOf(name, "Consumer")} = {`,
    `  queue: "${name}",`,
    `  events: [${quoted.join(", ")}],`,
    `  handle(${event}, { log }) {`,
    "    // Do the work here. If this throws, the event comes again later; after the last attempt it is kept as a dead letter.",
    `    log.info(${what}, "Handled");`,
    "  },",
    `} satisfies ConsumerOptions<${quoted.join(" | ")}>;`,
    "",
    `if (import.meta.main) await runConsumer(${constantOf(name, "Consumer")});`,
  );
}

function testFile(name: string, types: readonly string[]): string {
  const constant = constantOf(name, "Consumer");
  return source(
    'import { expect, test } from "bun:test";',
    'import { buildEvent, testConsumer } from "warren/testing";',
    `import { ${constant} } from "../consumers/${name}";`,
    "",
    types
      .map((type) => [
        `test("${type} is handled", async () => {`,
        `  await using consumer = testConsumer(${constant});`,
        `  expect(await consumer.deliver(buildEvent("${type}"))).toEqual({ action: "ack", result: "handled" });`,
        "});",
      ])
      .flatMap((lines, index) => (index === 0 ? lines : ["", ...lines])),
  );
}
