import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endAll } from "../tests/support/processes";
import type { Context } from "./benchmark";
import { type BenchBroker, startBroker } from "./broker";
import { type BenchPostgres, startBenchPostgres } from "./postgres";
import { seededDatabases } from "./seeded";

/** Folder on a disk, and the servers that benchmarks share. */
export interface Place {
  /** Prepares a run: an empty folder, and an empty broker if one has been started. */
  prepare(): Promise<Context>;
  /** True once it is cleaned up, or about to be. */
  isGone(): boolean;
  /** Ends all programs and removes everything, once, even if a signal arrives meanwhile. */
  cleanUp(): Promise<void>;
}

type Amounts = Pick<Context, "seconds" | "events" | "minutes" | "size">;

export function openPlace(amounts: Amounts, progress: (text: string) => void): Place {
  const folder = mkdtempSync("/var/tmp/warren-bench-");
  const seeded = seededDatabases(join(folder, "seeded"), progress);
  let broker: Promise<BenchBroker> | undefined;
  let postgres: Promise<BenchPostgres> | undefined;
  let cleaning: Promise<void> | undefined;
  let runs = 0;

  async function removeEverything(): Promise<void> {
    await endAll();
    await (await broker?.catch(() => undefined))?.dispose();
    await (await postgres?.catch(() => undefined))?.dispose();
    // A run in progress may have started another program.
    await endAll();
    rmSync(folder, { recursive: true, force: true });
  }

  return {
    async prepare() {
      if (cleaning) throw new Error("the benchmark was stopped");
      await (await broker)?.empty();
      runs += 1;
      // The previous run may have left gigabytes on the disk.
      rmSync(join(folder, String(runs - 1)), { recursive: true, force: true });
      const own = join(folder, String(runs));
      mkdirSync(own);
      return {
        ...amounts,
        folder: own,
        progress,
        seeded,
        broker: () => {
          if (!broker) progress("starting a private RabbitMQ …");
          broker ??= startBroker(folder);
          return broker;
        },
        postgres: () => {
          if (!postgres) progress("starting a private PostgreSQL …");
          postgres ??= startBenchPostgres();
          return postgres;
        },
      };
    },
    isGone: () => cleaning !== undefined,
    cleanUp() {
      cleaning ??= removeEverything();
      return cleaning;
    },
  };
}
