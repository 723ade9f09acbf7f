import { messageOf } from "../../src/observe/logging";
import type { OwnRabbit } from "../support/rabbit";
import { check, type Figures, figuresOf } from "./checker";
import { queuesLeft, readStored } from "./ending";
import type { Fault, TransportName } from "./fault";
import type { History, Observation } from "./history";
import { Random } from "./random";
import { System, type SystemOptions } from "./system";
import { sampleUsage } from "./usage";
import type { Violation } from "./violation";

export interface RunOptions {
  readonly fault: Fault;
  readonly transport: TransportName;
  readonly seed: number;
  readonly isShort: boolean;
  /** Default: the fault's own number. */
  readonly strikes?: number;
  /** Required for `rabbitmq`; must be empty. */
  readonly rabbit?: OwnRabbit | undefined;
  readonly preload?: SystemOptions["preload"];
  readonly patienceMs?: SystemOptions["patienceMs"];
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly strikes: number;
  readonly acknowledged: number;
}

export interface RunResult {
  readonly fault: string;
  readonly transport: TransportName;
  readonly seed: number;
  readonly strikes: number;
  readonly seconds: number;
  readonly figures: Figures;
  readonly violations: readonly Violation[];
}

/** Runs one system under load with repeated strikes; then heals, drains and checks it. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { fault, transport, seed, isShort, rabbit, onProgress = () => {} } = options;
  const startedAt = performance.now();
  const random = new Random(seed);
  const strikes = options.strikes ?? fault.strikes[isShort ? "short" : "full"];
  const system = await System.start({
    rabbit: transport === "rabbitmq" ? rabbit : undefined,
    random,
    arrangement: fault.arrange ?? {},
    patienceMs: options.patienceMs,
    ...(options.preload && { preload: options.preload }),
  });
  try {
    const { clients, records } = system;
    clients.start();
    await clients.until(200);
    const usage = sampleUsage(system.programs);
    try {
      for (let number = 1; number <= strikes; number += 1) {
        await clients.until(random.between(1, 60));
        await fault.strike(system, { number, isShort });
        onProgress({ strikes: number, acknowledged: clients.acknowledged });
      }
    } catch (error) {
      // An expected condition did not occur. Check its effect on the events all the same.
      system.observe("stuck", messageOf(error));
    }
    await fault.heal?.(system);
    await system.startAll();
    await clients.until(50);
    await clients.stop();
    await system.quiet();
    const queues = await queuesLeft(system);
    const used = usage();
    await system.stopAll();
    await records.read();
    const history: History = {
      changes: clients.changes,
      log: records.log,
      consumers: records.consumers,
      ...(await readStored(system)),
      backlog: system.backlog,
      queues,
      usage: used,
      observations: [...system.observations, ...(fault.unnoticed ? noticed(clients.changes) : [])],
      ordered: !fault.replays,
    };
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { fault: fault.name, transport, seed, strikes, seconds, figures: figuresOf(history), violations: check(history) };
  } finally {
    await system.remove();
  }
}

function noticed(changes: History["changes"]): Observation[] {
  return changes
    .filter(({ told }) => told !== "done")
    .map(({ kind, item, told }) => ({ violation: "noticed", detail: `a client was told "${told}" of a change: ${kind} ${item ?? ""}` }));
}
