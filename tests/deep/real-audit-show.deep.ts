// Output of `bun run consumers/audit.ts --show`, from real processes.
import { beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ExactlyOnceContext } from "warren/consumer";
import { audit } from "../../consumers/audit";
import { buildEvent, buildEventOf } from "../../src/consumer/test-consumer";
import type { Event } from "../../src/schema/event";
import type { ConsumerStore } from "../../src/store/consumer/store";
import { consumerStores, openLog } from "../../src/store/open";
import { auditIn, show, startAudit } from "../support/audited";
import { environmentOf, forEachEngine, type Places, sqliteIn } from "../support/engines";
import { root, run, send, startApi } from "../support/processes";
import { order } from "../support/resources";
import { useFolder } from "../support/use-folder";

const folder = useFolder();
const consumerFile = () => join(folder.path, "data", "consumers", "audit.db");

let places: Places;
let env: Record<string, string>;

/** Uses empty places, and an environment half an hour off, so that local time is no other by chance. */
function usePlaces(placesIn: (folder: string) => Places): void {
  beforeEach(() => {
    places = placesIn(join(folder.path, "data"));
    env = { ...environmentOf(places), TZ: "America/St_Johns" };
  });
}

const local = (timestamp: string) => new Date(timestamp).toLocaleString("sv-SE", { timeZone: "America/St_Johns" });

/** Works with the store of the audit. */
async function inStore(work: (store: ConsumerStore) => Promise<unknown>): Promise<void> {
  const stores = consumerStores(places);
  const store = await stores.open("audit", { durable: false });
  await work(store);
  await store.close();
  await stores.close();
}

/** Writes events into the audit's store, as the audit does. */
function audited(...events: Event[]): Promise<void> {
  return inStore((store) =>
    store.together(async ({ transaction: tx }) => {
      await audit.setup(tx);
      for (const event of events) await audit.handle(event as ReturnType<typeof buildEvent>, { tx } as ExactlyOnceContext);
    }),
  );
}

async function timesInLog(): Promise<string[]> {
  const log = await openLog(places);
  const entries = (await log?.read(0, 100)) ?? [];
  await log?.close();
  return entries.map(({ timestamp }) => local(timestamp));
}

forEachEngine((placesIn) => {
  usePlaces(placesIn);

  test("the history of an item, while the audit runs, when it was killed, and when it has stopped", async () => {
    const api = await startApi({ env });
    const running = await startAudit({ env });
    await send("POST", `${api.url}/items`, { name: "Sample Item", price: 9.99 });
    await send("PATCH", `${api.url}/items/1`, { name: "\x1b[2J\u202eevil\u2028\x7f\x9b", price: null, description: "é 🐇" });
    await send("PUT", `${api.url}/items/1`, { name: "Sample Item", price: 9.99 });
    await send("DELETE", `${api.url}/items/1`);
    await send("POST", `${api.url}/items`, { name: "another" });
    await auditIn(places).until(5);
    const [created, patched, replaced, deleted] = await timesInLog();
    const expected = [
      "item 1",
      `${created} created, version 1`,
      '  + name: "Sample Item"',
      "  + description: null",
      "  + price: 9.99",
      `${patched} updated, version 2`,
      '  - name: "Sample Item"',
      '  + name: "\\u001b[2J\\u202eevil\\u2028\\u007f\\u009b"',
      "  - description: null",
      '  + description: "é 🐇"',
      "  - price: 9.99",
      "  + price: null",
      `${replaced} updated, version 3`,
      '  - name: "\\u001b[2J\\u202eevil\\u2028\\u007f\\u009b"',
      '  + name: "Sample Item"',
      '  - description: "é 🐇"',
      "  + description: null",
      "  - price: null",
      "  + price: 9.99",
      `${deleted} deleted, version 3`,
      '  - name: "Sample Item"',
      "  - description: null",
      "  - price: 9.99",
    ];
    expect(await show(["1"], { env })).toEqual({ code: 0, stdout: expected, stderr: [] });
    await running.stop("SIGKILL");
    expect(await show(["item:1"], { env })).toEqual({ code: 0, stdout: expected, stderr: [] });
    const again = await startAudit({ env });
    expect(await again.stop()).toBe(0);
    expect(await show(["1"], { env })).toEqual({ code: 0, stdout: expected, stderr: [] });
  });

  test("reports missing versions before, between and at the end", async () => {
    await audited(
      buildEvent("item.updated", { id: 7, name: "b", version: 2 }, { timestamp: "2026-02-18T18:23:45.123Z" }),
      buildEvent("item.updated", { id: 7, name: "f", version: 6 }, { timestamp: "2026-02-18T18:23:49.123Z" }),
      buildEvent("item.deleted", { id: 7, name: "g", version: 7 }, { timestamp: "2026-02-18T18:23:50.123Z" }),
      buildEvent("item.deleted", { id: 8, name: "z", version: 1 }, { timestamp: "2026-02-18T18:23:51.123Z" }),
    );
    expect((await show(["7"], { env })).stdout).toEqual([
      "item 7",
      "(version 1 is missing)",
      "2026-02-18 14:53:45 updated, version 2",
      '  + name: "b"',
      "  + description: null",
      "  + price: 9.99",
      "(versions 3 to 5 are missing)",
      "2026-02-18 14:53:49 updated, version 6",
      '  - name: "b"',
      '  + name: "f"',
      "(version 7 is missing)",
      "2026-02-18 14:53:50 deleted, version 7",
      '  - name: "g"',
      "  - description: null",
      "  - price: 9.99",
    ]);
    expect((await show(["8"], { env })).stdout.slice(0, 3)).toEqual([
      "item 8",
      "(version 1 is missing)",
      "2026-02-18 14:53:51 deleted, version 1",
    ]);
  });

  test("another resource, with lists and objects inside; events that came out of order", async () => {
    const address = { street: "Main 1", city: "London", door: null };
    const paid = {
      id: 42,
      lines: [{ item: 9, quantity: 1 }],
      address,
      recipient: { name: "Bo", phone: null },
      state: "paid" as const,
      version: 2,
    };
    const at = (second: number) => ({ timestamp: `2026-02-18T18:23:0${second}.000Z` });
    await audited(
      buildEventOf(order, "deleted", paid, at(3)),
      buildEventOf(order, "updated", paid, at(2)),
      buildEventOf(
        order,
        "created",
        {
          id: 42,
          lines: [
            { item: 1, quantity: 2 },
            { item: 3, quantity: 4 },
          ],
        },
        at(1),
      ),
      buildEvent("item.created", { id: 42 }),
    );
    expect((await show(["order:42"], { env })).stdout).toEqual([
      "order 42",
      "2026-02-18 14:53:01 created, version 1",
      '  + customer: "Ada"',
      "  + lines[0].item: 1",
      "  + lines[0].quantity: 2",
      "  + lines[1].item: 3",
      "  + lines[1].quantity: 4",
      '  + address.street: "Main 1"',
      '  + address.city: "London"',
      "  + address.door: null",
      "  + recipient: null",
      '  + state: "open"',
      "2026-02-18 14:53:02 updated, version 2",
      "  - lines[0].item: 1",
      "  + lines[0].item: 9",
      "  - lines[0].quantity: 2",
      "  + lines[0].quantity: 1",
      "  - lines[1].item: 3",
      "  - lines[1].quantity: 4",
      "  - recipient: null",
      '  - state: "open"',
      '  + state: "paid"',
      '  + recipient.name: "Bo"',
      "  + recipient.phone: null",
      "2026-02-18 14:53:03 deleted, version 2",
      '  - customer: "Ada"',
      "  - lines[0].item: 9",
      "  - lines[0].quantity: 1",
      '  - address.street: "Main 1"',
      '  - address.city: "London"',
      "  - address.door: null",
      '  - recipient.name: "Bo"',
      "  - recipient.phone: null",
      '  - state: "paid"',
    ]);
  });

  test("--json prints each change as a line of JSON", async () => {
    const [created, deleted] = [
      buildEvent("item.created", { name: "\x07" }, { timestamp: "2026-02-18T18:23:45.123Z" }),
      buildEvent("item.deleted", { name: "\x07", version: 3 }, { timestamp: "2026-02-18T18:23:46.123Z", actor: "ada\x1b" }),
    ];
    await audited(created, deleted);
    const { code, stdout } = await show(["1", "--json"], { env });
    expect(code).toBe(0);
    expect(stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        event: created.id,
        time: "2026-02-18T18:23:45.123Z",
        actor: null,
        change: "created",
        version: 1,
        missing: null,
        changed: [
          { field: "name", to: "\x07" },
          { field: "description", to: null },
          { field: "price", to: 9.99 },
        ],
      },
      {
        event: deleted.id,
        time: "2026-02-18T18:23:46.123Z",
        actor: "ada\x1b",
        change: "deleted",
        version: 3,
        missing: [2, 3],
        changed: [
          { field: "name", from: "\x07" },
          { field: "description", from: null },
          { field: "price", from: 9.99 },
        ],
      },
    ]);
    expect((await show(["1"], { env })).stdout).toContain("2026-02-18 14:53:46 deleted, version 3, by ada\\u001b");
  });

  describe("what is not there", () => {
    test("no audit has run: a sentence and 1, and no file is made", async () => {
      expect(await show(["42"], { env })).toEqual({ code: 1, stdout: [], stderr: ["There is no history of item 42."] });
      expect(existsSync(consumerFile())).toBe(false);
    });

    test("an id or a resource that has no history: a sentence and 1", async () => {
      await audited(buildEvent("item.created"));
      expect(await show(["42"], { env })).toEqual({ code: 1, stdout: [], stderr: ["There is no history of item 42."] });
      expect(await show(["nothing:1"], { env })).toEqual({ code: 1, stdout: [], stderr: ["There is no history of nothing 1."] });
    });

    test("the store of a consumer that never had a history: a sentence and 1", async () => {
      await inStore(async () => {});
      expect(await show(["42"], { env })).toEqual({ code: 1, stdout: [], stderr: ["There is no history of item 42."] });
    });
  });
});

describe("the command", () => {
  usePlaces(sqliteIn);

  test("a change that changed nothing, from a log of before there were none, says so", async () => {
    await audited(buildEvent("item.created", { id: 9 }), buildEvent("item.updated", { id: 9 }, { timestamp: "2026-02-18T18:23:45.123Z" }));
    expect((await show(["9"], { env })).stdout.slice(-2)).toEqual(["2026-02-18 14:53:45 updated, version 2", "  no differences"]);
  });

  test("a file that is not a database: one sentence and exit code 1", async () => {
    await Bun.write(consumerFile(), "x".repeat(5000));
    expect(await show(["42"], { env })).toEqual({
      code: 1,
      stdout: [],
      stderr: ["Cannot read the history. file is not a database"],
    });
  });

  test("invalid ids and options are refused with exit code 2", async () => {
    const refused = ["0", "01", "-1", "1.5", "item:", "item:x", "Item:1", ":1", "1:2", "\x1b[2J", ""].map(async (id) => {
      const bad = run(["consumers/audit.ts", `--show=${id}`], { env });
      expect([await bad.exited, bad.stderr as string[]]).toEqual([
        2,
        [
          `"${id.replace("\x1b", "\\u001b")}" is not a record. Use the id of an item, such as 42, or RESOURCE:ID, such as order:42.`,
          "Run with --help for usage.",
        ],
      ]);
    });
    await Promise.all(refused);
    const lost = run(["consumers/audit.ts", "--json"], { env });
    expect(await lost.exited).toBe(2);
    expect(lost.stderr[0]).toBe("--json requires --show.");
  });

  test("reports a mistake in the environment", async () => {
    const { code, stderr } = await show(["42"], { env: { ...env, PORT: "http" } });
    expect(code).toBe(1);
    expect(stderr.join("\n")).toContain("PORT=http");
  });

  test("--help explains it, and starts nothing", async () => {
    const help = run(["consumers/audit.ts", "--help"], { env });
    expect(await help.exited).toBe(0);
    expect(help.stdout[0]).toBe("Keeps the history of every record of every resource: what changed, when, and the old and new values.");
    for (const option of ["--show", "--json", "--help"]) expect(help.stdout.join("\n")).toContain(option);
    expect(existsSync(consumerFile())).toBe(false);
  });

  test("a long history comes whole through a pipe, and a pipe that closes early does no harm", async () => {
    await audited(
      ...Array.from({ length: 5000 }, (_, index) => buildEvent("item.updated", { name: `name ${index + 1}`, version: index + 1 })),
    );
    const { stdout } = await show(["1"], { env });
    expect(stdout.filter((line) => line.startsWith('  + name: "name '))).toHaveLength(5000);
    expect(stdout.at(-1)).toBe('  + name: "name 5000"');
    const head = Bun.spawn(["sh", "-c", `"$0" consumers/audit.ts --show 1 | head -1`, process.execPath], {
      cwd: root,
      env: { ...env, PATH: process.env["PATH"] ?? "" },
      stdout: "pipe",
      stderr: "pipe",
    });
    expect([await head.stdout.text(), await head.stderr.text(), await head.exited]).toEqual(["item 1\n", "", 0]);
  });

  describe("on a terminal", () => {
    async function onTerminal(extra: Record<string, string> = {}): Promise<string> {
      let text = "";
      const decoder = new TextDecoder();
      const ended = Promise.withResolvers<void>();
      const child = Bun.spawn([process.execPath, "consumers/audit.ts", "--show", "1"], {
        cwd: root,
        env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...env, ...extra },
        terminal: {
          data(_, bytes) {
            text += decoder.decode(bytes, { stream: true });
          },
          exit: () => ended.resolve(),
        },
      });
      await Promise.all([child.exited, ended.promise]);
      child.terminal?.close();
      return text.replaceAll("\r\n", "\n");
    }

    test("what was removed is red, what was added is green; not with NO_COLOR, and not through a pipe", async () => {
      await audited(
        buildEvent("item.created", {}, { timestamp: "2026-02-18T18:23:45.123Z" }),
        buildEvent("item.updated", { price: 5 }, { timestamp: "2026-02-18T18:23:46.123Z" }),
      );
      const added = ['  + name: "Sample Item"', "  + description: null", "  + price: 9.99"];
      const text = (paint: (code: number, line: string) => string) =>
        [
          "item 1",
          "2026-02-18 14:53:45 created, version 1",
          ...added.map((line) => paint(32, line)),
          "2026-02-18 14:53:46 updated, version 2",
          paint(31, "  - price: 9.99"),
          paint(32, "  + price: 5"),
          "",
        ].join("\n");
      expect(await onTerminal()).toBe(text((code, line) => `\x1b[${code}m${line}\x1b[0m`));
      expect(await onTerminal({ NO_COLOR: "1" })).toBe(text((_, line) => line));
      expect((await show(["1"], { env })).stdout.join("\n")).toBe(text((_, line) => line).trimEnd());
    });
  });
});
