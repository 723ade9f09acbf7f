import { messageOf } from "../../../src/observe/logging";
import { Random } from "../random";
import type { Violation } from "../violation";
import { check } from "./checker";
import type { Environment } from "./environment";
import type { ClusterHistory } from "./history";
import { readinessOf } from "./readiness";
import { stalePositions } from "./stale-positions";
import { strikes as all, possibleStrikes, type Strikes } from "./strikes";
import { type ClusterOptions, ClusterSystem } from "./system";

export interface ClusterRunOptions extends Pick<ClusterOptions, "bugs" | "patienceMs" | "logs"> {
  readonly environment: Environment;
  readonly seed: number;
  /** Number of strikes. */
  readonly strikes: number;
  /** The strikes to choose from at random. Default: all. With `inTurn`, the order is this one. */
  readonly chosen?: Strikes;
  /** True to go through the strikes in turn, and not at random. Default: false. */
  readonly inTurn?: boolean;
  /** Called after each strike, and after the phases `healed` and `drained`. */
  readonly onProgress?: (progress: { readonly last: string; readonly acknowledged: number }) => void;
}

export interface ClusterResult {
  readonly seed: number;
  readonly strikes: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly figures: ClusterFigures;
  readonly violations: readonly Violation[];
  /** The strikes in order, if there are violations. */
  readonly struck?: readonly Struck[];
}

/** A strike, and when it began and ended. */
interface Struck {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface ClusterFigures {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  /** Number of requests that were sent again. */
  readonly repeated: number;
  readonly events: number;
  /** Number of events that consumers handled, including repeats. */
  readonly handled: number;
  readonly duplicates: number;
  /** Number of streams that the reader opened. */
  readonly streams: number;
}

/** Time without any progress, in milliseconds, after which missing events count as lost. */
const patienceMs = 45_000;

/** Runs a cluster under load with strikes; then heals, drains and checks it. */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterResult> {
  const { seed, onProgress = () => {} } = options;
  const startedAt = performance.now();
  const random = new Random(seed);
  const chosen = possibleStrikes(options.chosen ?? all, options.environment);
  const system = await ClusterSystem.start({ ...options, random });
  const struck: Struck[] = [];
  try {
    const { clients } = system;
    await clients.start();
    await clients.until(100);
    try {
      for (let number = 0; number < options.strikes; number += 1) {
        const strike = (options.inTurn && chosen[number % chosen.length]) || random.of(chosen);
        await clients.until(random.between(1, 60));
        const from = new Date().toISOString();
        await strike.strike(system);
        struck.push({ name: strike.name, from, to: new Date().toISOString() });
        onProgress({ last: strike.name, acknowledged: clients.acknowledged });
      }
    } catch (error) {
      // An expected condition did not occur. Check its effect on the events all the same.
      system.observe("stuck", messageOf(error));
    }
    await system.heal();
    onProgress({ last: "healed", acknowledged: clients.acknowledged });
    await clients.until(50).catch((error: unknown) => system.observe("stuck", messageOf(error)));
    await clients.stop();
    await system.checkReadiness();
    const backlog = await drain(system, options.patienceMs ?? patienceMs);
    onProgress({ last: "drained", acknowledged: clients.acknowledged });
    await system.reader?.stop();
    await system.stopAll();
    await system.records.read();
    for (const stale of await stalePositions(system.schema)) system.observe("stale-position", stale);
    const history: ClusterHistory = {
      requests: clients.requests,
      log: system.records.log,
      accounts: await system.records.accounts(),
      transfers: await system.records.transfers(),
      read: system.reader?.events ?? [],
      consumers: system.records.consumers,
      backlog,
      observations: system.observations,
    };
    const violations = check(history);
    return {
      seed,
      strikes: countsOf(struck),
      seconds: (performance.now() - startedAt) / 1000,
      figures: figuresOf(history, system),
      violations,
      ...(violations.length > 0 && { struck }),
    };
  } finally {
    await system.remove();
  }
}

function countsOf(struck: readonly Struck[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of struck) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Waits until everything is confirmed, read and handled, or nothing happens any more. Resolves with the number of unconfirmed events. */
async function drain(system: ClusterSystem, patience: number): Promise<number> {
  let backlog = Number.NaN;
  let count = 0;
  for (let newsAt = performance.now(); performance.now() - newsAt < patience; await Bun.sleep(100)) {
    const waiting = (await readinessOf(system.urls[0]))?.backlog?.events ?? Number.NaN;
    const read = (await system.records.read()) + (system.reader?.events.length ?? 0);
    if (read !== count || waiting !== backlog) newsAt = performance.now();
    [count, backlog] = [read, waiting];
    if (backlog === 0 && system.records.missing() === 0) break;
  }
  return backlog;
}

function figuresOf({ requests, log, consumers }: ClusterHistory, { clients, reader }: ClusterSystem): ClusterFigures {
  const count = (told: string) => requests.filter((request) => request.told === told).length;
  const handled = consumers.reduce((sum, consumer) => sum + consumer.handled.length, 0);
  const distinct = consumers.reduce((sum, consumer) => sum + new Set(consumer.handled.map(({ id }) => id)).size, 0);
  return {
    acknowledged: count("done"),
    refused: count("refused"),
    unknown: count("unknown"),
    repeated: clients.repeated,
    events: log.length,
    handled,
    duplicates: handled - distinct,
    streams: reader?.streams ?? 0,
  };
}
