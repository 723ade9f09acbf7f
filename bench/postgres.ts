import { type PostgresSchema, startPostgres } from "../tests/support/postgres";
import { cpuMs } from "./cpu";

/** Private PostgreSQL of a benchmark, with its data on disk. */
export interface BenchPostgres {
  /** Returns a schema that does not exist yet. */
  schema(): PostgresSchema;
  /**
   * Starts to measure processes of the server. The returned function reports the CPU time used since then per item, in microseconds.
   *
   * @param name the connections to measure, as the server lists them. Default: all processes.
   */
  cpuCounter(name?: string): Promise<(count: number) => Promise<number>>;
  dispose(): Promise<void>;
}

export async function startBenchPostgres(): Promise<BenchPostgres> {
  const cluster = await startPostgres({ parent: "/var/tmp", settings: { shared_buffers: "256MB", max_wal_size: "4GB" } });
  const cpu = async (name?: string) => {
    const named = name === undefined ? "" : ` AND application_name = '${name}'`;
    const rows = await cluster.evaluate<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()${named}`);
    return new Map(rows.map(({ pid }) => [pid, cpuMs(pid)]));
  };
  return {
    schema: () => cluster.schema(),
    async cpuCounter(name) {
      const before = await cpu(name);
      return async (count) => {
        let ms = 0;
        for (const [pid, now] of await cpu(name)) ms += now - (before.get(pid) ?? 0);
        return (ms * 1000) / count;
      };
    },
    dispose: () => cluster.dispose(),
  };
}
