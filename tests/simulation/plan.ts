import { Random } from "./random";

/** Possible faults. Each seed selects some of them. */
export const faults = [
  "handler errors",
  "handler rejects",
  "handler asks for a later retry",
  "handler hangs",
  "breaker",
  "api killed",
  "consumer killed",
  "killed inside",
  "few deaths",
  "stops",
  "connection cut",
  "half-open connection",
  "broker killed",
  "refused messages",
  "alarm",
  "queue deleted",
  "disk full",
  "clock jumps",
  "replays",
  "forced replays",
  "redrives",
] as const;
export type Fault = (typeof faults)[number];

const onRabbitmqOnly: readonly Fault[] = [
  "connection cut",
  "half-open connection",
  "broker killed",
  "refused messages",
  "alarm",
  "queue deleted",
];

export interface QueuePlan {
  readonly queue: string;
  readonly exactlyOnce: boolean;
  readonly batches: boolean;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly events: readonly ("item.created" | "item.updated" | "item.deleted")[] | undefined;
  /** Number of processes that work on the queue. */
  readonly processes: number;
  /** True if the handler returns synchronously. */
  readonly quick: boolean;
  /** True if the handler changes the item that was created, and sets a timer. */
  readonly acts: boolean;
  /** True if the consumer has a schedule, in place of events. */
  readonly ticks: boolean;
  readonly attempts: number;
}

/** Everything that a seed determines, apart from the order of events. */
export interface Plan {
  readonly transport: "rabbitmq" | "embedded";
  readonly queues: readonly QueuePlan[];
  /** The consumer with a schedule, if there is one. */
  readonly ticker: QueuePlan | undefined;
  readonly faults: ReadonlySet<Fault>;
}

const tickerPlan: QueuePlan = {
  ...{ queue: "ticker", exactlyOnce: false, batches: false, concurrency: 1, prefetch: 5, events: undefined, processes: 1, quick: false },
  ...{ acts: false, ticks: true, attempts: 3 },
};

/** Returns the plans of all consumers. */
export function consumersOf({ queues, ticker }: Plan): readonly QueuePlan[] {
  return ticker ? [...queues, ticker] : queues;
}

export function planOf(seed: number): Plan {
  const chance = new Random(seed, "plan");
  const acting = new Random(seed, "acting");
  const transport = chance.chance(0.6) ? "rabbitmq" : "embedded";
  const share = chance.pick([0, 0.1, 0.25, 0.4]);
  const chosen = faults.filter(() => chance.chance(share));
  const names = chance.pick([["item_events"], ["audit"], ["audit", "item_events"], ["audit", "search"]]);
  const queues = names.map((queue): QueuePlan => {
    const exactlyOnce = chance.chance(0.5);
    const batches = chance.chance(0.25);
    const acts = acting.chance(0.4) && !batches;
    return {
      queue,
      exactlyOnce,
      batches,
      concurrency: exactlyOnce || batches ? 1 : chance.pick([1, 1, 2, 8]),
      prefetch: chance.pick([1, 2, 5, 64]),
      events: queue === "item_events" || chance.chance(0.6) ? undefined : chance.pick([["item.created"], ["item.created", "item.deleted"]]),
      processes: chance.chance(0.3) ? 2 : 1,
      quick: chance.chance(0.4) && !acts,
      acts,
      ticks: false,
      attempts: chance.pick([1, 2, 3, 5]),
    };
  });
  const possible = (fault: Fault) => transport === "rabbitmq" || !onRabbitmqOnly.includes(fault);
  const ticker = acting.chance(0.25) ? { ...tickerPlan, exactlyOnce: acting.chance(0.5) } : undefined;
  return { transport, queues, ticker, faults: new Set(chosen.filter(possible)) };
}

export function describePlan(plan: Plan): string[] {
  const { transport, faults: chosen } = plan;
  const describe = ({ queue, events, ...options }: QueuePlan) => {
    const set = Object.entries(options).filter(([, value]) => value !== false);
    return `consumer of ${queue}${events ? ` for ${events.join(", ")}` : ""}: ${set.map(([name, value]) => (value === true ? name : `${name} ${value}`)).join(", ")}`;
  };
  return [`${transport}; faults: ${[...chosen].join(", ") || "none"}`, ...consumersOf(plan).map(describe)];
}
