// bun run doctor: each check says what is wrong and what to do, whatever else is wrong, and changes nothing.

import { Database } from "bun:sqlite";
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json";
import { brokerFindings } from "../src/commands/doctor/broker";
import { bytesText } from "../src/commands/doctor/bytes";
import { clockFindings } from "../src/commands/doctor/clock";
import { diskFinding } from "../src/commands/doctor/disk";
import type { Finding } from "../src/commands/doctor/finding";
import { abandonedFindings } from "../src/commands/doctor/queues";
import { storeFindings } from "../src/commands/doctor/store";
import { checkVersions } from "../src/commands/doctor/versions";
import { checkEnvironment } from "../src/config/check-environment";
import { openSqliteStore } from "../src/store/sqlite/store";
import { command } from "./support/command";
import { describeInFull, testInFull } from "./support/in-full";
import { freePort } from "./support/net";
import { environment, run, send, startApi } from "./support/processes";
import { copyProject } from "./support/project-copy";
import { order } from "./support/resources";
import { useFolder } from "./support/use-folder";

// Each run starts three programs.
setDefaultTimeout(60_000);

const folder = useFolder();
let env: Record<string, string>;
let file: string;
beforeEach(() => {
  env = environment(folder.path);
  file = join(folder.path, "data", "warren.db");
});

interface Diagnosis {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** Findings that are not ok. */
  readonly problems: readonly Finding[];
}

async function doctor(more: Record<string, string> = {}): Promise<Diagnosis> {
  const { code, stdout, stderr } = await command("doctor", ["--json"], { ...env, ...more });
  expect(stderr).toBe("");
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, findings, problems: findings.filter(({ state }) => state !== "ok") };
}

const messageOf = ({ findings }: Diagnosis, check: string) => findings.find((finding) => finding.check === check)?.message;

async function makeDatabase(records = 1): Promise<void> {
  const store = openSqliteStore(file, [order]);
  await store.insertAll(order, Array(records).fill(order.example), () => "");
  await store.close();
  // Write everything into the file itself.
  const db = new Database(file);
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}

/** The files of the test's folder with their contents, except those that SQLite keeps beside a database. */
function contents(): Record<string, string> {
  const names = [...new Bun.Glob("**/*").scanSync({ cwd: folder.path, dot: true })].filter((name) => !/-(wal|shm)$/.test(name)).sort();
  return Object.fromEntries(names.map((name) => [name, Bun.hash(readFileSync(join(folder.path, name))).toString()]));
}

describe("a machine without problems", () => {
  test("with nothing there yet, and makes nothing, not even a token", async () => {
    const { code, findings, problems } = await doctor({ API_TOKEN: "generate", HOST: "0.0.0.0" });
    expect([code, problems]).toEqual([0, []]);
    expect(findings.map(({ check }) => check)).toEqual(
      [
        "versions",
        "environment",
        "data files",
        "secrets",
        "store",
        "disk",
        "clock",
        "broker",
        "consumers",
        "dead letters",
        "quarantine",
      ].concat(["queues", "generated", "contracts"]),
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  testInFull("with a running API, whose clock it compares, and without changes; in words it ends with a sentence", async () => {
    env = { ...env, PORT: String(freePort()) };
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, { name: "a" });
    const before = contents();
    const diagnosis = await doctor();
    expect([diagnosis.code, diagnosis.problems]).toEqual([0, []]);
    expect(messageOf(diagnosis, "clock")).toBe("agrees with the newest event and the API");
    expect(messageOf(diagnosis, "store")).toMatch(/warren\.db, .* KiB, sound$/);
    expect(messageOf(diagnosis, "broker")).toBe("none: embedded, because RABBITMQ_URL is none");
    const { stdout } = await command("doctor", [], env);
    expect(stdout).toMatch(/^ok {6}versions {7}Bun [\d.]+, Warren [\d.]+$/m);
    expect(stdout).toEndWith("\n\nNo problems found.");
    expect(contents()).toEqual(before);
  });
});

describe("the environment", () => {
  test("names every mistake and each misspelt variable; the project is still checked", async () => {
    const { code, problems, findings } = await doctor({ PORT: "99999", LOG_LEVEL: "loud", RABBITMQ_URI: "amqp://broker" });
    expect(code).toBe(1);
    expect(problems).toEqual([
      {
        check: "environment",
        state: "error",
        message: expect.stringContaining("PORT=99999: use a whole number"),
        todo: expect.any(String),
      },
      { check: "environment", state: "error", message: expect.stringContaining("LOG_LEVEL=loud"), todo: expect.any(String) },
      {
        check: "environment",
        state: "warning",
        message: "RABBITMQ_URI is set, which is not a variable of Warren.",
        todo: "If RABBITMQ_URL is meant, rename it.",
      },
      expect.objectContaining({ check: "system", state: "warning" }),
    ]);
    expect(findings.map(({ check }) => check)).toContain("contracts");
  });

  test.each([
    ["DATABSE_URL", "DATABASE_URL"],
    ["LOG_LEVL", "LOG_LEVEL"],
    ["API_TOKENS", "API_TOKEN"],
    ["OTEL_EXPORTER_OTLP_ENDPIONT", "OTEL_EXPORTER_OTLP_ENDPOINT"],
  ])("%s probably means %s", (name, known) => {
    expect(checkEnvironment({ [name]: "x" }).misspelt).toEqual([{ name, known }]);
  });

  test("variables of others are not suspected, nor is one that is empty", () => {
    const others = [
      "PATH",
      "HOME",
      "LANG",
      "RABBITMQ_NODENAME",
      "OTEL_RESOURCE_ATTRIBUTES",
      "NODE_ENV",
      "HOSTNAME",
      "LOGNAME",
      "TERM",
      "PORTS",
    ];
    const { misspelt, set } = checkEnvironment({ ...Object.fromEntries(others.map((name) => [name, "x"])), LOG_LEVL: " ", PORT: "1" });
    expect([misspelt, set]).toEqual([[], ["PORT"]]);
  });

  test("a warning alone does not fail", async () => {
    expect((await doctor({ LOG_LEVL: "info" })).code).toBe(0);
  });
});

describeInFull("the store", () => {
  test("that is damaged", async () => {
    await makeDatabase(2000);
    const size = statSync(file).size;
    const bytes = readFileSync(file);
    bytes.fill(0x55, Math.floor(size / 2), Math.floor(size / 2) + 3 * 4096);
    writeFileSync(file, bytes);
    const { code, problems } = await doctor();
    expect(code).toBe(1);
    expect(problems[0]).toMatchObject({ check: "store", state: "error", message: expect.stringContaining(`${file} is damaged: `) });
  });

  test("that is not a database, or cut off", async () => {
    mkdirSync(join(folder.path, "data"));
    writeFileSync(file, "this is a text");
    const foreign = await doctor();
    expect([foreign.code, foreign.problems.find(({ check }) => check === "store")?.message]).toEqual([
      1,
      `The database ${file} cannot be opened: file is not a database. Check DATABASE_URL.`,
    ]);
    writeFileSync(file, "");
    await makeDatabase(2000);
    truncateSync(file, 8 * 4096);
    expect((await doctor()).problems.map(({ check }) => check)).toContain("store");
  });

  test("with an older or a newer schema", async () => {
    await makeDatabase();
    const set = (version: number) => {
      const db = new Database(file);
      db.run(`PRAGMA user_version = ${version}`);
      db.close();
    };
    set(3);
    const older = await doctor();
    expect([older.code, older.problems]).toEqual([0, [expect.objectContaining({ check: "migrations", state: "warning" })]]);
    expect(older.problems[0]?.message).toMatch(/^the database has schema version 3, and this program version \d+$/);
    set(999);
    const newer = await doctor();
    expect([newer.code, newer.findings.find(({ check }) => check === "migrations")?.state]).toEqual([1, "error"]);
  });

  test("whose commits are not written back, because somebody keeps reading", () => {
    const database = { shown: "w.db", bytes: 4096, pendingBytes: 2 ** 30, damage: [], schemaVersion: 1, neededVersion: 1, server: null };
    const [store] = storeFindings({ database, consumers: [] }, "w.db");
    expect(store).toMatchObject({ state: "warning", message: "w.db, 4 KiB; 1 GiB of commits wait to be written back" });
  });

  test("of a consumer that is damaged", () => {
    const consumer = { shown: "audit.db", bytes: 1, pendingBytes: 0, damage: ["row 1 missing"] };
    const [, found] = storeFindings({ database: undefined, consumers: [consumer] }, "w.db");
    expect(found).toMatchObject({ state: "error", message: "audit.db is damaged: row 1 missing" });
  });
});

testInFull("a consumer without a process, and a RabbitMQ that is away", async () => {
  const api = await startApi({ env });
  const audit = run(["consumers/audit.ts"], { env });
  await audit.line("The audit is running");
  await audit.stop();
  await send("POST", `${api.url}/items`, { name: "a" });
  const { code, problems } = await doctor();
  expect([code, problems]).toEqual([
    0,
    [
      {
        check: "consumers",
        state: "warning",
        message: '1 event waits in "audit", which has no consumer.',
        todo: "Start its consumer, or remove the queue if it is no longer needed: bun run queues remove audit.",
      },
    ],
  ]);
  await api.stop();

  const away = await doctor({ RABBITMQ_URL: `amqp://127.0.0.1:${freePort()}` });
  expect([away.code, away.problems.map(({ check, state }) => `${check}: ${state}`)]).toEqual([1, ["broker: error", "queues: warning"]]);
  expect(away.problems[0]?.message).toContain("cannot reach RabbitMQ at amqp://127.0.0.1");
});

testInFull("contracts and generated modules that are out of date, in the project and not in Warren's own", async () => {
  const project = copyProject();
  try {
    const domain = join(project.path, "src/domain/item.ts");
    await Bun.write(domain, (await Bun.file(domain).text()).replace("fields: {", "fields: {\n    colour: Type.Optional(Type.String()),"));
    await Bun.write(join(project.path, "src/resources.generated.ts"), "export const resources = {};\n");
    const running = run(["src/commands/doctor.ts"], { cwd: project.path, env });
    expect(await running.exited).toBe(1);
    expect(running.stdout.filter((line) => line.startsWith("error"))).toEqual([
      expect.stringMatching(/^error {3}generated {6}src\/resources\.generated\.ts is out of date.* Run: bun run generate$/),
      expect.stringMatching(/^error {3}contracts {6}contracts\/events.json is out of date.* Run: bun run contracts:check$/),
    ]);
    expect(running.stdout.at(-1)).toBe("2 errors, 0 warnings.");

    await Bun.write(domain, "export const item = missing;\n");
    const broken = run(["src/commands/doctor.ts"], { cwd: project.path, env });
    expect(await broken.exited).toBe(1);
    expect(broken.stdout.filter((line) => line.startsWith("error")).every((line) => line.includes("missing is not defined"))).toBe(true);
  } finally {
    project.remove();
  }
});

describe("findings", () => {
  test("Bun", () => {
    expect(checkVersions(packageJson.packageManager.replace("bun@", ""))).toMatchObject([{ state: "ok" }]);
    expect(checkVersions("1.999.0")).toMatchObject([{ state: "warning", todo: expect.stringContaining("npm install -g bun@") }]);
    expect(checkVersions("1.2.0")).toMatchObject([{ state: "error", message: expect.stringContaining("Warren needs Bun >=") }]);
  });

  test("disk", () => {
    expect([2 ** 34, 2 ** 29, 2 ** 20].map((bytes) => diskFinding(bytes, "data").state)).toEqual(["ok", "warning", "error"]);
    expect(diskFinding(2 ** 29, "data").message).toBe("512 MiB free for data");
    expect([0, 999, 1536, 3 * 2 ** 40].map(bytesText)).toEqual(["0 bytes", "999 bytes", "1.5 KiB", "3 TiB"]);
  });

  test("clock", () => {
    const fine = { behindSeconds: -60, steppedSeconds: 0.01, ahead: [{ who: "RabbitMQ", seconds: 1 }] };
    expect(clockFindings(fine)).toMatchObject([{ state: "ok", message: "agrees with the newest event and RabbitMQ" }]);
    const wrong = { behindSeconds: 90, steppedSeconds: -5, ahead: [{ who: "RabbitMQ", seconds: -40 }] };
    expect(clockFindings(wrong).map(({ state, message }) => [state, message])).toEqual([
      ["warning", expect.stringContaining("The clock is 90 s behind the newest event")],
      ["warning", "The clock was set by -5.0 s while the doctor ran."],
      ["warning", "The clock of RabbitMQ is 40 s behind."],
    ]);
  });

  test("broker", () => {
    const facts = { version: "3.10.8", platform: "Erlang/OTP 25", blocked: undefined };
    const findings = (...more: object[]) => brokerFindings(more.map((each) => ({ shown: "amqp://b", ...facts, ...each })));
    expect(findings({})).toMatchObject([{ state: "ok", message: "RabbitMQ 3.10.8 on Erlang/OTP 25 at amqp://b accepts messages" }]);
    expect(findings({ version: "3.9.29" })).toMatchObject([{ state: "error", todo: expect.stringContaining("3.10") }]);
    expect(findings({ blocked: "low on disk" })).toMatchObject([
      { state: "error", message: expect.stringContaining("accepts no messages: low on disk") },
    ]);
    const away = { unreachable: "ECONNREFUSED" };
    expect(findings(away, away)).toMatchObject([{ state: "error" }, { state: "error" }]);
    expect(findings({}, away)).toMatchObject([
      { state: "ok" },
      { state: "warning", message: "cannot reach RabbitMQ at amqp://b (ECONNREFUSED)", todo: expect.stringContaining("other nodes") },
    ]);
  });

  test("a queue counts as abandoned if it is a consumer's own, nobody works on it, and nobody has asked for it in a week", () => {
    const now = Date.parse("2026-11-20T00:00:00Z");
    const announcedAt = "2026-11-01T00:00:00Z";
    const queue = {
      queue: "aduit",
      kind: "own",
      exists: true,
      messages: 0,
      retries: 0,
      deadLetters: 0,
      consumers: 0,
      announcedAt,
    } as const;
    expect(abandonedFindings([queue], now)).toEqual([
      {
        check: "queues",
        state: "warning",
        message: 'No consumer has asked for "aduit" for 19 days.',
        todo: "Start its consumer, or remove it: bun run queues remove aduit",
      },
    ]);
    const others = [
      { kind: "shared" },
      { exists: false },
      { consumers: 1 },
      { announcedAt: "2026-11-19T00:00:00Z" },
      { announcedAt: null },
    ] as const;
    for (const other of others) expect(abandonedFindings([{ ...queue, ...other }], now)).toMatchObject([{ state: "ok" }]);
  });
});
