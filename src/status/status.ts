import { hostname } from "node:os";
import type { Config } from "../config/config";
import { aboutProject } from "../project/about";
import { sizeOnDisk } from "../store/open";
import type { Latency } from "./latency";
import type { Need } from "./system-needs";
import type { SystemState } from "./system-state";

/** The state of the system as the API shows it: that of `bun run status`, and what only a process that serves it knows. */
export interface Status extends SystemState {
  readonly needs: readonly Need[];
  /** Events per second, of all processes. */
  readonly flow: {
    readonly committed: number;
    /** Null without RabbitMQ. */
    readonly confirmed: number | null;
    /** By all consumers. Null if none has reported. */
    readonly handled: number | null;
    /** Attempts of all consumers. Null if none has reported. */
    readonly failed: number | null;
  };
  /** Null if nothing was measured. */
  readonly latency: {
    /** In this process: from the arrival of a request that changes something to its response. */
    readonly request: Latency | null;
    /** In this process: a commit with its changes. */
    readonly commit: Latency | null;
    /** In this process, if it relays: from the change until RabbitMQ confirmed its event. */
    readonly confirm: Latency | null;
    /** In all consumers: from the change until its event was handled. */
    readonly delay: Latency | null;
    /** In all consumers: the handler. */
    readonly handler: Latency | null;
  };
  /** This process. */
  readonly here: {
    readonly host: string;
    readonly pid: number;
    readonly startedAt: string;
    /** Version of the project. */
    readonly version: string;
    readonly memoryBytes: number;
    /** Size of the SQLite database. Null on PostgreSQL. */
    readonly databaseBytes: number | null;
  };
}

const startedAt = new Date(performance.timeOrigin).toISOString();

/** Returns what a status says of this process. */
export function here(config: Pick<Config, "database">): Status["here"] {
  return {
    ...{ host: hostname(), pid: process.pid, startedAt, version: aboutProject().version },
    memoryBytes: process.memoryUsage.rss(),
    databaseBytes: sizeOnDisk(config),
  };
}
