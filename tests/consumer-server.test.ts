// The HTTP server of a consumer: its options on the command line, and the moment it reports ready.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { helpOf, serverFlags } from "../src/consumer/flags";
import { healthOf, readiness } from "../src/consumer/health";
import { servings } from "../src/consumer/serve";
import type { BrokerState } from "../src/delivery/broker-state";
import { ConsumerError } from "../src/delivery/consumer-error";
import { resolveConsumer } from "../src/delivery/consumer-options";
import type { Stage, Watched } from "../src/delivery/running";
import { Worker } from "../src/delivery/worker";
import { parseOptions, UsageError } from "../src/observe/command-line";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { temporaryFolder } from "./support/folder";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";

describe("a command line asks for metrics and health", () => {
  const local = (port: number) => ({ hostname: "127.0.0.1", port });
  const all = (port: number) => ({ hostname: "0.0.0.0", port });
  const metrics = ["metrics"] as const;
  const health = ["health"] as const;
  const both = ["metrics", "health"] as const;

  const own = { ...serverFlags, events: { type: "string" }, json: { type: "boolean" } } as const;

  test.each([
    [[], []],
    [["--events", "item.created", "--json"], []],
    [["--metrics-port", "9464"], [{ address: local(9464), what: metrics }]],
    [["--events", "item.created", "--metrics-port=0", "--json"], [{ address: local(0), what: metrics }]],
    [["--metrics-host", "0.0.0.0", "--metrics-port", "65535"], [{ address: all(65_535), what: metrics }]],
    [["--health-port", "3000"], [{ address: local(3000), what: health }]],
    [
      ["--health-port", "1", "--health-host", "0.0.0.0", "--metrics-port", "2"],
      [
        { address: local(2), what: metrics },
        { address: all(1), what: health },
      ],
    ],
    [["--health-port", "9464", "--metrics-port", "9464"], [{ address: local(9464), what: both }]],
    [["--health-port", "9464", "--health-host", "0.0.0.0", "--metrics-port", "9464"], [{ address: all(9464), what: both }]],
    [["--health-port", "9464", "--metrics-host", "0.0.0.0", "--metrics-port", "9464"], [{ address: all(9464), what: both }]],
  ])("%j", (words, wanted) => {
    expect(servings(parseOptions(words, own))).toEqual(wanted);
  });

  test.each([
    [["--metrics-port", "65536"], /^--metrics-port 65536: use/],
    [["--metrics-port", "http"], /^--metrics-port http: use/],
    [["--metrics-port=-1"], /^--metrics-port -1: use/],
    [["--metrics-host", "0.0.0.0"], /^--metrics-port: use/],
    [["--health-port", "many"], /^--health-port many: use/],
    [
      ["--health-port", "9464", "--metrics-port", "9464", "--health-host", "0.0.0.0", "--metrics-host", "127.0.0.1"],
      /^--metrics-host and --health-host differ/,
    ],
  ])("%j says what is wrong", (words, message) => {
    expect(() => servings(parseOptions(words, own))).toThrow(ConsumerError);
    expect(() => servings(parseOptions(words, own))).toThrow(message);
  });
});

describe("the flags of a consumer", () => {
  test("are its own and those of every consumer", () => {
    const { limit, "health-port": port } = parseOptions(["--limit", "5", "--health-port=1"], {
      ...serverFlags,
      limit: { type: "string", default: "3" },
    });
    expect([limit, port]).toEqual(["5", "1"]);
    expect(parseOptions([], { ...serverFlags, limit: { type: "string", default: "3" } }).limit).toBe("3");
  });

  test.each([
    [["--hepl"], "Unknown option '--hepl'."],
    [["-x"], "Unknown option '-x'."],
    [["fast"], 'Unexpected argument "fast".'],
    [["--metrics-port"], "Option '--metrics-port <value>' argument missing"],
    [["--health-port", "1", "--health-host"], "Option '--health-host <value>' argument missing"],
  ])("%j is refused", (words, message) => {
    expect(() => parseOptions(words, serverFlags)).toThrow(UsageError);
    expect(() => parseOptions(words, serverFlags)).toThrow(message);
  });

  test("have a help that says what the consumer does", () => {
    const help = helpOf([{ queue: "price-watch", events: ["item.created", "item.updated"], description: "Watches prices." }, {}]);
    expect(help).toStartWith(
      "Watches prices.\nHandles item.created, item.updated, from the queue price-watch.\n\nHandles all events, from a temporary queue.\n",
    );
    for (const flag of ["--metrics-port N", "--health-port N", "--help"]) expect(help).toContain(flag);
  });
});

describe("a consumer is", () => {
  const { log } = recordedLog();
  function consumer(stage: Stage, state?: BrokerState): Watched & { worker: Worker } {
    const options = { queue: "stock", handle: () => {}, breaker: { minimum: 1, pauseMs: 60_000 } };
    const worker = new Worker(
      resolveConsumer(options, catalogue, log, () => {}),
      async () => openConsumerFile(":memory:", { durable: false }),
    );
    return { worker, stage: () => stage, broker: state && { state, node: null, reconnects: 0, blockedSeconds: 0 } };
  }

  test.each([
    ["waiting", undefined, "not ready", /database/],
    ["waiting", "connecting", "not ready", /Cannot reach RabbitMQ/],
    ["waiting", "connected", "not ready", /queue/],
    ["standing by", undefined, "ready", /stands by/],
    ["consuming", undefined, "ready", undefined],
    ["consuming", "connected", "ready", undefined],
    ["consuming", "blocked", "degraded", /alarm/],
    ["consuming", "connecting", "not ready", /Cannot reach RabbitMQ/],
  ] as const)("%s, with its broker %s: %s", (stage, state, status, detail) => {
    const health = healthOf(consumer(stage, state));
    expect([health.queue, health.status]).toEqual(["stock", status]);
    if (detail) expect(health.detail).toMatch(detail);
    else expect(health.detail).toBeUndefined();
  });

  test("degraded while messages that no queue takes are in files", () => {
    const folder = temporaryFolder();
    const quarantine = folder.path;
    const stock = { ...consumer("consuming", "connected"), quarantine };
    expect(healthOf(stock)).toEqual({ queue: "stock", status: "ready" });
    for (const queue of ["stock", "prices"]) mkdirSync(join(quarantine, queue));
    writeFileSync(join(quarantine, "prices", "1.json"), "{}");
    expect(healthOf(stock)).toEqual({ queue: "stock", status: "ready" });
    for (const name of ["1.json", "2.json", "3.json.part"]) writeFileSync(join(quarantine, "stock", name), "{}");
    const detail = `2 messages that no queue accepts are in ${join(quarantine, "stock")}.`;
    expect(healthOf(stock)).toEqual({ queue: "stock", status: "degraded", detail });
    folder.remove();
  });

  test("degraded while its breaker is open, and several are as ready as the least ready of them", () => {
    const [good, failing, waiting] = [consumer("consuming"), consumer("consuming"), consumer("waiting")];
    failing.worker.breaker.end(true, performance.now());
    expect(healthOf(failing)).toMatchObject({ status: "degraded", detail: expect.stringContaining("fails too often") });
    expect(readiness([good, good]).status).toBe("ready");
    expect(readiness([good, failing]).status).toBe("degraded");
    expect(readiness([failing, waiting, good])).toMatchObject({
      status: "not ready",
      consumers: [{ status: "degraded" }, { status: "not ready" }, { status: "ready" }],
    });
  });
});
