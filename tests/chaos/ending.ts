import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { item } from "../../src/domain/item";
import { loadCatalogue } from "../../src/project/resources";
import type { Place } from "../../src/store/listing";
import { consumerState } from "../../src/store/sqlite/consumer/state";
import { followLog } from "../../src/store/sqlite/log-follower";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { type QueueDepth, queuesIn } from "../support/rabbit";
import type { History } from "./history";
import { roleNames, roles } from "./roles";
import type { System } from "./system";

/** Time without any progress, in milliseconds, after which missing events count as lost. */
const patienceMs = 15_000;
const lookEveryMs = 100;
const settleMs = 10_000;

/** Waits until everything is confirmed and handled, or nothing happens any more. Resolves with the number of unconfirmed events. */
export async function drain(system: System, patience = patienceMs): Promise<number> {
  const { records } = system;
  let backlog = Number.NaN;
  for (let newsAt = performance.now(); performance.now() - newsAt < patience; ) {
    const before = backlog;
    const { backlog: waiting } = (await (await fetch(`${system.url}/health/ready`)).json()) as { backlog: { events: number } | null };
    backlog = waiting?.events ?? 0;
    if ((await records.read()) > 0 || backlog !== before) newsAt = performance.now();
    if (backlog === 0 && records.missing() === 0) break;
    await Bun.sleep(lookEveryMs);
  }
  return backlog;
}

/** Returns the messages left in queues, after a wait for acknowledgements in transit. */
export async function queuesLeft(system: System): Promise<QueueDepth[]> {
  const ask = () => (system.hasBroker ? queuesIn(system.rabbit) : askFiles(system));
  let queues = await ask();
  const deadline = performance.now() + settleMs;
  while (queues.some(({ ready, unacked }) => ready + unacked > 0) && performance.now() < deadline) {
    await Bun.sleep(lookEveryMs);
    queues = await ask();
  }
  return queues;
}

/** Without a broker, returns how far each consumer's position is behind, and the waiting events and dead letters in its file. */
async function askFiles(system: System): Promise<QueueDepth[]> {
  const log = followLog(system.databaseFile);
  if (!log) return [];
  const end = await log.end();
  const { logId } = log;
  log.close();
  return roleNames.flatMap((role) => {
    const { queue } = roles[role];
    const { position, waiting, dead } = consumerState(consumerFile(system, queue), logId);
    return [
      { queue, ready: end - (position ?? 0), unacked: waiting },
      { queue: `${queue}.dead`, ready: dead, unacked: 0 },
    ];
  });
}

/** Reads the table and checks the database files, once no process uses them. */
export async function readStored(system: System): Promise<Pick<History, "items" | "integrity">> {
  const items = new Map<number, { version: number; name: string }>();
  const { resources } = await loadCatalogue();
  const store = openSqliteStore(system.databaseFile, resources);
  for (let after: Place | null | undefined; after !== null; ) {
    const { rows, next } = await store.list(item, { limit: 1000, after });
    for (const { id, version, json } of rows) items.set(id, { version, name: (JSON.parse(json) as { name: string }).name });
    after = next;
  }
  await store.close();
  const files = [system.databaseFile, ...roleNames.map((role) => consumerFile(system, roles[role].queue))].filter((file) =>
    existsSync(file),
  );
  return { items, integrity: files.map((file) => ({ file, result: integrityOf(file) })) };
}

function consumerFile(system: System, queue: string): string {
  return join(system.dataDir, "consumers", `${queue}.db`);
}

function integrityOf(file: string): string {
  const db = new Database(file);
  try {
    return db
      .query<{ integrity_check: string }, []>("PRAGMA integrity_check")
      .all()
      .map((row) => row.integrity_check)
      .join("; ");
  } finally {
    db.close();
  }
}
