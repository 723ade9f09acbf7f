import { hostname } from "node:os";
import type { PostgresAddress } from "../../../config/postgres-url";
import { atMost, pause } from "../../../timing/pause";
import type { Leadership } from "../../leadership";
import type { ApiProcess } from "../../log-follower";
import type { Peers } from "../../peers";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";
import { LogWatch } from "../log/log-watch";
import { Notices } from "../log/notices";
import { keepPartitions } from "../log/partitions";
import { leaseRows } from "./lease-rows";
import { Leases } from "./leases";

/** Lease by which a process shows that it serves the schema. */
const presence = "process ";
const sweepEveryMs = 3_600_000;
/** Maximum time to release the leases of this process, in milliseconds. */
const closingMs = 1000;

/** The part that a process needs from the others that serve the same schema. */
export interface Processes {
  readonly lead: Store["lead"];
  readonly onAppend: Store["onAppend"];
  readonly isReplaced: Store["isReplaced"];
  readonly peers: Peers;
  /** Tells all processes, this one first, that events were committed. Call it after the commit. */
  committed(): void;
  /** Releases the leases of this process. All works must have ended. */
  close(): Promise<void>;
}

export interface ProcessesOptions {
  readonly database: Database;
  readonly address: Pick<PostgresAddress, "schema">;
  readonly logId: string;
  /** True for a process that only commits changes, such as a consumer: it leads nothing, and is not one of those that serve. Default: false. */
  readonly isGuest?: boolean | undefined;
  /** Number of positions of a partition of the log. Default: that of production. */
  readonly partitionWidth?: number | undefined;
}

/** Makes this process one of those that serve a schema. */
export function joinProcesses({ database, address: { schema }, logId, isGuest = false, partitionWidth }: ProcessesOptions): Processes {
  const holder = `${hostname()} ${process.pid} ${crypto.randomUUID()}`;
  const notices = new Notices(database, schema);
  // Behind commits, which wait for other processes, a renewal could come too late.
  const leases = new Leases(notifying(leaseRows({ query: database.query, writer: database.line("leases") }, holder), notices));
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const toldListeners = new Set<(text: string) => void>();
  const onOther = (payload: string) => {
    const text = notices.toldBy(payload);
    if (text !== undefined) for (const listener of toldListeners) listener(text);
  };
  const watch = new LogWatch({ database, schema, logId, onAppend: tell, onLease: () => leases.wake(), onOther });
  const closing = new AbortController();
  const keep = (task: string, work: (leadership: Leadership) => Promise<void>) =>
    untilAborted(closing.signal, () => leases.lead(task, closing.signal, work));
  const tasks = () => [
    keep(`${presence}${holder}`, ({ until }) => sweep(database, until)),
    keep("log", (leadership) => keepPartitions(database, leadership, partitionWidth)),
  ];
  const kept = isGuest ? [] : tasks();
  return {
    lead: (task, stop, work) => leases.lead(task, stop, work),
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isReplaced: () => watch.isReplaced,
    peers: {
      tell: (text) => notices.tell(text),
      onTold: (listener) => void toldListeners.add(listener),
    },
    committed() {
      tell();
      notices.send("log");
    },
    async close() {
      closing.abort();
      watch.close();
      // If the database does not answer, the leases end by themselves.
      await atMost(
        closingMs,
        Promise.all(kept).then(() => leases.released()),
      );
      notices.close();
    },
  };
}

/** Resolves with the processes that serve the schema now. */
export async function servingProcesses({ query }: Queries): Promise<ApiProcess[]> {
  const rows = await query<{ holder: string; tasks: string | null }>(
    `SELECT holder, (SELECT string_agg(led.name, ',' ORDER BY led.name) FROM warren_leases led
       WHERE led.holder = present.holder AND led.name NOT LIKE $1 AND led.expires_at > clock_timestamp()) AS tasks
     FROM warren_leases present WHERE name LIKE $1 AND expires_at > clock_timestamp() ORDER BY holder`,
    `${presence}%`,
  );
  return rows.map(({ holder, tasks }) => {
    const [host = "", pid] = holder.split(" ");
    return { host, pid: Number(pid), leads: tasks?.split(",") ?? [] };
  });
}

/** Releases leases as a table does, and notifies the processes that may wait for them. */
function notifying(table: ReturnType<typeof leaseRows>, notices: Notices): ReturnType<typeof leaseRows> {
  return {
    ...table,
    async release(task, epoch) {
      await table.release(task, epoch);
      notices.send("leases");
    },
  };
}

/** Deletes what processes have left that died. */
async function sweep({ writer }: Pick<Database, "writer">, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await writer
      .query("DELETE FROM warren_leases WHERE name LIKE $1 AND expires_at < clock_timestamp() - interval '1 hour'", `${presence}%`)
      .catch(() => {});
    await pause(sweepEveryMs, until);
  }
}

async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) await work();
}
