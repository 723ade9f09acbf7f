import type { PostgresAddress } from "../../config/postgres-url";
import { Line } from "./line";
import { listen } from "./listener";
import type { Database, Queries, Writer } from "./queries";
import { defaultLimits, type Limits } from "./settings";
import { Transactions } from "./transactions";

export interface DatabaseOptions extends Partial<Limits> {
  /** Number of connections for `query`. Default: 3. */
  readonly readers?: number;
  /** Maximum number of transactions at a time, each on a connection. Default: 4. */
  readonly transactions?: number;
}

/** Returns access to a database. Connects at the first statement. */
export function openDatabase(
  address: PostgresAddress,
  { readers = 3, transactions = 4, ...changedLimits }: DatabaseOptions = {},
): Database {
  const limits = { ...defaultLimits, ...changedLimits };
  const lines: Line[] = [];
  const line = (purpose: string, onLost?: (name: string) => void) => {
    const added = new Line(address, purpose, limits, onLost);
    lines.push(added);
    return added;
  };
  const reading = Array.from({ length: readers }, () => line("read"));
  const query: Queries["query"] = (sql, ...values) => idlest(reading).run(sql, values);
  const inTransactions = new Transactions(Array.from({ length: transactions }, () => line("transaction")));
  const listeners = new Set<() => void>();
  return {
    query,
    writer: writerOn((onLost) => line("write", onLost), query),
    transaction: (work, options) => inTransactions.run(work, options),
    listen: (channel, heard) => {
      const stop = listen(address, limits, channel, heard);
      listeners.add(stop);
      return () => {
        listeners.delete(stop);
        stop();
      };
    },
    close: async () => {
      for (const stop of listeners) stop();
      await Promise.all(lines.map((each) => each.close()));
    },
  };
}

function writerOn(line: (onLost: (name: string) => void) => Line, query: Queries["query"]): Writer {
  const lost = new Set<string>();
  const writing = line((name) => lost.add(name));
  return {
    query: (sql, ...values) => writing.run(sql, values),
    endLost: async () => {
      const names = [...lost];
      while (names.length > 0) {
        const alive = await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY($1)", names);
        if (alive.length === 0) break;
        await Bun.sleep(pauseMs);
      }
      for (const name of names) lost.delete(name);
    },
  };
}

/** Pause between two looks whether the server has ended a connection, in milliseconds. */
const pauseMs = 20;

/** Returns the line with the fewest statements that wait; of those, the first, so that the others may rest. */
function idlest(lines: readonly Line[]): Line {
  return lines.reduce((best, line) => (line.pending < best.pending ? line : best));
}
