// What happens to a service whose consumers act. Each strikes once, under load.
import type { Program } from "../program";
import { apiPoints, consumerPoints, tickPoints } from "./crash-points";
import type { ActingSystem, Arrangement } from "./system";

export interface ActingStrike {
  readonly name: string;
  readonly title: string;
  /** Default: all. */
  readonly arrangements?: readonly Arrangement[];
  /** True if the clock of the programs has to be movable. Default: false. */
  readonly needsClock?: boolean;
  /** Strikes at a random moment. What it stops is started by the next one or at the end. */
  strike(system: ActingSystem): Promise<void>;
}

/** Enough for a slow start on a busy machine, in milliseconds. */
const dieMs = 60_000;
const longestJumpSeconds = 3600;

/** @param isTick true for a point that is reached once a minute, when the event before is done. Default: false. */
async function crash(system: ActingSystem, programs: readonly Program[], point: string, isTick = false): Promise<void> {
  const after = isTick ? 1 : system.random.between(1, 12);
  for (const program of programs) {
    await program.kill();
    await program.start({ CRASH_POINT: point, CRASH_AFTER: String(after) });
  }
  if (isTick) await system.advance(system.random.between(60, 180));
  await Promise.any(programs.map((program) => program.dies(dieMs)));
  for (const program of programs) {
    await program.kill();
    await program.start();
  }
}

const consumerPointNames = Object.keys(consumerPoints) as [string, ...string[]];
const inSqlite = ["sqlite", "rabbitmq"] as const;

const consumerCrashes = Object.entries(consumerPoints).map(
  ([point, title]): ActingStrike => ({
    name: `consumer-${point}`,
    title: `kill -9 of a consumer ${title}`,
    strike: (system) => crash(system, [system.random.chance(0.5) ? system.consumers.plain : system.consumers.once], point),
  }),
);

const apiCrashes = Object.entries(apiPoints).map(
  ([point, title]): ActingStrike => ({
    name: `api-${point}`,
    title: `kill -9 of the API ${title}`,
    // On PostgreSQL, consumers commit themselves.
    ...(point.endsWith("-change") && { arrangements: inSqlite }),
    // Of several processes of the API, only one publishes what is due.
    strike: (system) => crash(system, system.apis, point),
  }),
);

const tickCrashes: readonly ActingStrike[] = [
  ...Object.entries(tickPoints).map(
    ([point, title]): ActingStrike => ({
      name: `api-${point}`,
      title: `kill -9 of the API ${title}`,
      needsClock: true,
      strike: (system) => crash(system, system.apis, point, true),
    }),
  ),
  {
    name: "consumer-tick",
    title: "kill -9 of a consumer with a schedule, at any of the points",
    needsClock: true,
    strike: (system) => crash(system, [system.consumers.ticks], system.random.of(consumerPointNames), true),
  },
];

const others: readonly ActingStrike[] = [
  {
    name: "api-kill",
    title: "kill -9 of a process of the API at any time",
    async strike({ random, apis }) {
      const api = random.of(apis);
      await api.kill();
      await Bun.sleep(random.between(0, 1500));
      await api.start();
    },
  },
  {
    name: "api-freeze",
    title: "SIGSTOP of a process of the API for longer than a lease, then SIGCONT",
    arrangements: ["postgres"],
    async strike({ random, apis }) {
      const { pid } = random.of(apis);
      if (pid === undefined) return;
      process.kill(pid, "SIGSTOP");
      await Bun.sleep(random.between(4500, 6000));
      process.kill(pid, "SIGCONT");
    },
  },
  {
    name: "broker-kill",
    title: "kill -9 of RabbitMQ",
    arrangements: ["rabbitmq"],
    async strike({ options: { rabbit } }) {
      await rabbit?.kill();
      await rabbit?.start();
    },
  },
  {
    name: "clock-jump",
    title: "the clock of all programs jumps forward or back by up to an hour",
    needsClock: true,
    strike: (system) => system.setClock(system.random.between(-longestJumpSeconds, longestJumpSeconds)),
  },
];

export const strikes: readonly ActingStrike[] = [...consumerCrashes, ...apiCrashes, ...tickCrashes, ...others];

/** Returns the strikes that are possible in a system. */
export function possibleStrikes(of: readonly ActingStrike[], arrangement: Arrangement, hasClock: boolean): ActingStrike[] {
  return of.filter(({ arrangements, needsClock }) => (arrangements?.includes(arrangement) ?? true) && (hasClock || !needsClock));
}
