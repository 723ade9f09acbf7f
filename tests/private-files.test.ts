// Only the user that runs the service can open its files; other programs' files are left as they are.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../src/commands/doctor/finding";
import { readConfig } from "../src/config/config";
import { exposureOf } from "../src/config/secret-file";
import { warnOfExposed } from "../src/store/exposed-files";
import { acquireLock } from "../src/store/sqlite/connection/lock";
import { filesOpenToOthers } from "../src/store/sqlite/connection/private-file";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../src/store/sqlite/store";
import { certificateFor } from "./support/certificate";
import { command } from "./support/command";
import { temporaryFolder } from "./support/folder";
import { testInFull } from "./support/in-full";
import { environment, run } from "./support/processes";
import { newSecret } from "./support/receiver";
import { recordedLog } from "./support/recorded-log";
import { order } from "./support/resources";

// Processes of their own take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let data: string;
let file: string;
let umask: number;
beforeEach(() => {
  // The most open that a machine can be set up: what the service asks for decides.
  umask = process.umask(0);
  folder = temporaryFolder();
  data = join(folder.path, "deep", "data");
  file = join(data, "warren.db");
});
afterEach(() => {
  process.umask(umask);
  folder.remove();
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const modesIn = (path: string) => Object.fromEntries(readdirSync(path).map((name) => [name, modeOf(join(path, name))]));

async function withStore<T>(use: () => T | Promise<T>): Promise<T> {
  const store = openSqliteStore(file, [order]);
  try {
    await store.insert(order, order.example);
    return await use();
  } finally {
    await store.close();
  }
}

describe("what is made", () => {
  test("the database, its folder, and the files that SQLite makes beside it", async () => {
    await withStore(() => {
      expect(modesIn(data)).toEqual({
        "warren.db": "600",
        "warren.db-shm": "600",
        "warren.db-wal": "600",
        "warren.db.lock": "600",
        "warren.db.lock-journal": "600",
      });
      expect([modeOf(join(folder.path, "deep")), modeOf(data)]).toEqual(["700", "700"]);
    });
  });

  test("a consumer's file and its lock", () => {
    const path = join(data, "consumers", "stock.db");
    const lock = acquireLock(`${path}.lock`);
    const opened = openConsumerFile(path, { durable: true });
    expect(new Set(Object.values(modesIn(join(data, "consumers"))))).toEqual(new Set(["600"]));
    expect(modeOf(join(data, "consumers"))).toBe("700");
    opened.close();
    lock?.release();
  });

  test("a file that an operator has opened to a group stays as it is", async () => {
    await withStore(() => {});
    chmodSync(file, 0o640);
    await withStore(() => expect(modeOf(file)).toBe("640"));
  });
});

describe("what is there already", () => {
  test("files that others can open are named; a folder that others cannot search protects its files", async () => {
    await withStore(() => {
      expect(filesOpenToOthers(file, data)).toEqual([]);
      chmodSync(file, 0o644);
      chmodSync(`${file}-shm`, 0o604);
      expect(filesOpenToOthers(file, data)).toEqual([]);
      chmodSync(data, 0o755);
      expect(filesOpenToOthers(file, data).sort()).toEqual([file, `${file}-shm`]);
    });
    openConsumerFile(join(data, "consumers", "stock.db"), { durable: false }).close();
    chmodSync(join(data, "consumers", "stock.db"), 0o644);
    chmodSync(join(data, "consumers"), 0o755);
    expect(filesOpenToOthers(file, data)).toContain(join(data, "consumers", "stock.db"));
  });

  test("a program of another's beside the database is not looked at", async () => {
    await withStore(() => {});
    chmodSync(data, 0o755);
    await Bun.write(join(data, "warren.db.backup"), "theirs");
    await Bun.write(join(data, "notes.txt"), "theirs");
    expect(filesOpenToOthers(file, data)).toEqual([]);
  });

  test("the log warns of them at the start, with the command that closes them", async () => {
    await withStore(() => {});
    const { log, lines } = recordedLog();
    warnOfExposed({ database: { engine: "sqlite", file, shown: file }, dataDir: data }, log);
    expect(lines).toEqual([]);
    chmodSync(data, 0o755);
    chmodSync(file, 0o644);
    warnOfExposed({ database: { engine: "sqlite", file, shown: file }, dataDir: data }, log);
    expect(lines).toEqual([
      expect.objectContaining({ level: "warn", files: [file], msg: expect.stringContaining("bun run doctor --fix") }),
    ]);
  });

  testInFull("`bun run doctor` names them, and closes them when asked to", async () => {
    await withStore(() => {});
    chmodSync(data, 0o755);
    chmodSync(file, 0o644);
    const env = { ...environment(folder.path), DATABASE_URL: `sqlite:${file}` };
    const looked = await command("doctor", [], env);
    expect([looked.code, looked.stdout]).toEqual([1, expect.stringContaining(`other users can open ${file}. Run: bun run doctor --fix`)]);
    const fixed = await command("doctor", ["--fix", "--json"], env);
    expect([fixed.code, modeOf(file)]).toEqual([0, "600"]);
    const { findings } = JSON.parse(fixed.stdout) as { findings: Finding[] };
    expect(findings.find(({ check }) => check === "data files")).toMatchObject({ state: "fixed", todo: null });
    expect((await command("doctor", [], env)).code).toBe(0);
  });
});

describe("a path given by mistake", () => {
  test.each([
    ["text", "root:x:0:0:root:/root:/bin/bash\n"],
    ["less than the head of a database", "x"],
  ])("%s is refused before anything is written beside it", async (_, content) => {
    mkdirSync(data, { recursive: true });
    await Bun.write(file, content);
    expect(() => openSqliteStore(file, [order])).toThrow(
      `The database ${file} cannot be opened: file is not a database. Check DATABASE_URL.`,
    );
    expect(() => openConsumerFile(file, { durable: false })).toThrow("file is not a database");
    expect([readdirSync(data), await Bun.file(file).text()]).toEqual([["warren.db"], content]);
  });

  test("so are a folder and an endless file", () => {
    mkdirSync(file, { recursive: true });
    expect(() => openSqliteStore(file, [order])).toThrow("file is not a database");
    expect(() => openSqliteStore("/dev/zero", [order])).toThrow("file is not a database");
    expect(readdirSync(data)).toEqual(["warren.db"]);
  });
});

describe("files with secrets", () => {
  test("are checked like ssh checks private keys", async () => {
    const secret = join(folder.path, "secret");
    await Bun.write(secret, "x");
    for (const [mode, text] of [
      [0o644, "other users can open this file, which holds a secret (mode 0644); run: chmod 600"],
      [0o640, "(mode 0640)"],
      [0o602, "(mode 0602)"],
    ] as const) {
      chmodSync(secret, mode);
      expect(exposureOf(secret)).toContain(text);
    }
    for (const mode of [0o600, 0o400]) {
      chmodSync(secret, mode);
      expect(exposureOf(secret)).toBeUndefined();
    }
  });

  test("one of another user, such as a mounted secret, is not this user's to change", () => {
    const mine = process.getuid;
    process.getuid = () => 4_000_000;
    try {
      expect(exposureOf("/etc/passwd")).toBeUndefined();
    } finally {
      process.getuid = mine as () => number;
    }
  });

  test("the key for RabbitMQ", async () => {
    const { cert, key } = certificateFor("localhost");
    const files = { RABBITMQ_CERT_FILE: join(folder.path, "cert.pem"), RABBITMQ_KEY_FILE: join(folder.path, "key.pem") };
    await Bun.write(files.RABBITMQ_CERT_FILE, cert);
    await Bun.write(files.RABBITMQ_KEY_FILE, key);
    const environment = { RABBITMQ_URL: "amqps://broker", ...files };
    chmodSync(files.RABBITMQ_KEY_FILE, 0o644);
    expect(() => readConfig({ isTerminal: false, environment })).toThrow(
      `RABBITMQ_KEY_FILE=${files.RABBITMQ_KEY_FILE}: other users can open this file`,
    );
    chmodSync(files.RABBITMQ_KEY_FILE, 0o600);
    expect(readConfig({ isTerminal: false, environment }).rabbitmq?.keyFile).toBe(files.RABBITMQ_KEY_FILE);
  });

  test("webhooks.json", async () => {
    const config = join(folder.path, "webhooks.json");
    await Bun.write(
      config,
      JSON.stringify({ subscriptions: [{ name: "crm", url: "https://example.com", events: ["item.*"], secret: newSecret() }] }),
    );
    chmodSync(config, 0o644);
    const refused = run(["consumers/webhook.ts", "--config", config, "--check"], { env: environment(folder.path) });
    expect(await refused.exited).toBe(1);
    expect(refused.stderr.join("\n")).toBe(
      `${config}: other users can open this file, which holds a secret (mode 0644); run: chmod 600 ${config}.`,
    );
    chmodSync(config, 0o600);
    expect(await run(["consumers/webhook.ts", "--config", config, "--check"], { env: environment(folder.path) }).exited).toBe(0);
  });
});
