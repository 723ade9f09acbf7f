import type { PostgresAddress } from "../../../config/postgres-url";
import { Line } from "./line";
import { listen } from "./listener";
import type { Database, Writer } from "./queries";
import { defaultLimits, type Limits, readSettings } from "./settings";
import { Transactions } from "./transactions";

const usual = { readers: 3, transactions: 4 };

/** Maximum number of connections that a process has that serves a schema: those, and for commits, leases, tables and notifications. */
export const usualConnections = usual.readers + usual.transactions + 4;

export interface DatabaseOptions extends Partial<Limits> {
  /** Number of connections for `query`. Default: 3. */
  readonly readers?: number;
  /** Maximum number of transactions at a time, each on a connection. Default: 4. */
  readonly transactions?: number;
}

/** Returns access to a database. Connects at the first statement. */
export function openDatabase(
  address: PostgresAddress,
  { readers = usual.readers, transactions = usual.transactions, ...changedLimits }: DatabaseOptions = {},
): Database {
  const limits = { ...defaultLimits, ...changedLimits };
  const lines: Line[] = [];
  const line = (purpose: string, settings?: Readonly<Record<string, string>>) => {
    const added = new Line(address, purpose, limits, settings);
    lines.push(added);
    return added;
  };
  const reading = Array.from({ length: readers }, () => line("read", readSettings));
  const inOrder = (purpose: string): Writer => {
    const own = line(purpose);
    return { query: (sql, ...values) => own.run(sql, values), change: (sql, ...values) => own.change(sql, values) };
  };
  const inTransactions = new Transactions(Array.from({ length: transactions }, () => line("transaction")));
  const listeners = new Set<() => void>();
  return {
    query: (sql, ...values) => idlest(reading).run(sql, values),
    writer: inOrder("write"),
    line: inOrder,
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

/** Returns the line with the fewest statements that wait; of those, the first, so that the others may rest. */
function idlest(lines: readonly Line[]): Line {
  return lines.reduce((best, line) => (line.pending < best.pending ? line : best));
}
