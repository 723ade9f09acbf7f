// What happens to a service whose consumers act. Each strikes once, under load.
import type { Program } from "../program";
import { apiPoints, consumerPoints } from "./crash-points";
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

async function crash(system: ActingSystem, program: Program, point: string): Promise<void> {
  await program.kill();
  await program.start({ CRASH_POINT: point, CRASH_AFTER: String(system.random.between(1, 12)) });
  await program.dies(dieMs);
  await program.start();
}

const inSqlite = ["sqlite", "rabbitmq"] as const;

const consumerCrashes = Object.entries(consumerPoints).map(
  ([point, title]): ActingStrike => ({
    name: `consumer-${point}`,
    title: `kill -9 of a consumer ${title}`,
    strike: (system) => crash(system, system.random.chance(0.5) ? system.consumers.plain : system.consumers.once, point),
  }),
);

const apiCrashes = Object.entries(apiPoints).map(
  ([point, title]): ActingStrike => ({
    name: `api-${point}`,
    title: `kill -9 of the API ${title}`,
    // On PostgreSQL, consumers commit themselves.
    ...(point.endsWith("-change") && { arrangements: inSqlite }),
    strike: (system) => crashLeader(system, point),
  }),
);

/** Lets the process die that comes to a point: of several processes of the API, only one publishes what is due. */
async function crashLeader(system: ActingSystem, point: string): Promise<void> {
  for (const api of system.apis) {
    await api.kill();
    await api.start({ CRASH_POINT: point, CRASH_AFTER: String(system.random.between(1, 12)) });
  }
  await Promise.any(system.apis.map((api) => api.dies(dieMs)));
  for (const api of system.apis) {
    await api.kill();
    await api.start();
  }
}

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

export const strikes: readonly ActingStrike[] = [...consumerCrashes, ...apiCrashes, ...others];

/** Returns the strikes that are possible in a system. */
export function possibleStrikes(of: readonly ActingStrike[], arrangement: Arrangement, hasClock: boolean): ActingStrike[] {
  return of.filter(({ arrangements, needsClock }) => (arrangements?.includes(arrangement) ?? true) && (hasClock || !needsClock));
}
