// What happens to a cluster in production. Each strikes once, under load.
import type { Program } from "../program";
import { type Environment, thaw } from "./environment";
import type { ClusterSystem } from "./system";

export interface ClusterStrike {
  readonly name: string;
  readonly title: string;
  /** Returns whether this machine allows it. Default: it does. */
  isPossible?(environment: Environment): boolean;
  /** Strikes at a random moment. The damage may last until the system heals, or as registered with `afterwards`. */
  strike(system: ClusterSystem): Promise<void>;
}

/** Suspends a process, and lets it go on after a while. */
async function suspend(system: ClusterSystem, { pid }: Program, leastMs = 200): Promise<void> {
  if (pid === undefined) return;
  process.kill(pid, "SIGSTOP");
  await Bun.sleep(system.random.between(leastMs, 8000));
  process.kill(pid, "SIGCONT");
}

async function restart(program: Program): Promise<void> {
  await program.kill();
  await program.start();
}

/** Lets a consumer die between an effect and its acknowledgement, and starts it again. */
export async function dieBeforeAck({ random }: ClusterSystem, consumer: Program): Promise<void> {
  await consumer.kill();
  await consumer.start({ CRASH_AFTER: String(random.between(1, 40)) });
  await consumer.dies(60_000);
  await consumer.start();
}

/** One strike or more to choose from. */
export type Strikes = readonly [ClusterStrike, ...ClusterStrike[]];

const processes: Strikes = [
  {
    name: "api-kill",
    title: "kill -9 of a process of the API",
    strike: ({ random, apis }) => restart(random.of(apis)),
  },
  {
    name: "api-freeze",
    title: "SIGSTOP of a process of the API, then SIGCONT",
    strike: (system) => suspend(system, system.random.of(system.apis)),
  },
  {
    name: "leader-kill",
    title: "kill -9 of the process that sends events to RabbitMQ",
    strike: async (system) => restart(await system.relaying()),
  },
  {
    name: "leader-freeze",
    title: "SIGSTOP of the process that sends events to RabbitMQ, then SIGCONT",
    // Longer than its lease.
    strike: async (system) => suspend(system, await system.relaying(), 4500),
  },
  {
    name: "consumer-kill",
    title: "kill -9 of a consumer at any time, or between an effect and the acknowledgement",
    async strike(system) {
      const consumer = system.random.of(system.consumers);
      if (system.random.chance(0.7)) await dieBeforeAck(system, consumer);
      else await restart(consumer);
    },
  },
  {
    name: "consumer-freeze",
    title: "SIGSTOP of a consumer, then SIGCONT",
    strike: (system) => suspend(system, system.random.of(system.consumers)),
  },
];

const database: readonly ClusterStrike[] = [
  {
    name: "backends-ended",
    title: "PostgreSQL ends connections of the service, again and again, also in the middle of a commit",
    async strike({ environment: { postgres }, random }) {
      for (let round = random.between(1, 10); round > 0; round -= 1) {
        await postgres.evaluate(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5`,
        );
        await Bun.sleep(random.between(1, 100));
      }
    },
  },
  {
    name: "database-crash",
    title: "PostgreSQL stops without a checkpoint and recovers",
    async strike({ environment: { postgres }, random }) {
      await postgres.stop("immediate");
      await Bun.sleep(random.between(0, 2000));
      await postgres.start();
    },
  },
  {
    name: "database-freeze",
    title: "PostgreSQL is suspended for up to eight seconds",
    async strike({ environment: { postgres }, random }) {
      postgres.freeze();
      await Bun.sleep(random.between(200, 8000));
      postgres.thaw();
    },
  },
  {
    name: "database-cut",
    title: "a process loses all its connections to PostgreSQL",
    async strike(system) {
      system.networkOf(system.random.of(system.programs)).cut();
    },
  },
  {
    name: "database-half-open",
    title: "the connections of a process to PostgreSQL are dead, and nobody says so",
    async strike(system) {
      system.networkOf(system.random.of(system.programs)).freeze();
    },
  },
  {
    name: "old-snapshot",
    title: "a transaction as of pg_dump keeps an old snapshot until the end",
    async strike(system) {
      const { postgres } = system.environment;
      const sql = new Bun.SQL({
        adapter: "postgres",
        hostname: postgres.socket,
        port: postgres.port,
        username: "warren",
        database: "postgres",
      });
      const held = await sql.reserve();
      await held.unsafe("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await held.unsafe("SELECT txid_current_snapshot()");
      // It ends earlier if PostgreSQL does.
      system.afterwards(() => sql.close({ timeout: 0 }).catch(() => {}));
    },
  },
  {
    name: "database-full",
    title: "the disk of PostgreSQL's tables is full for up to eight seconds",
    isPossible: ({ hasOwnDisk }) => hasOwnDisk,
    async strike({ environment: { postgres }, random }) {
      postgres.fill();
      await Bun.sleep(random.between(200, 8000));
      postgres.makeRoom();
      if (!postgres.isUp()) await postgres.start();
    },
  },
  {
    name: "pooler-kill",
    title: "kill -9 of PgBouncer, which has the connections of some processes, and a new one",
    isPossible: ({ pooler }) => pooler !== undefined,
    async strike({ environment: { pooler }, random }) {
      await pooler?.kill();
      await Bun.sleep(random.between(0, 2000));
      await pooler?.start();
    },
  },
];

/** Strikes the broker that leads a queue. */
const leaderOf = ({ environment: { rabbit }, random }: ClusterSystem) =>
  rabbit.leaderOf(random.of(["chaos-once", "chaos-alone", "chaos-plain"]));

const brokers: readonly ClusterStrike[] = [
  {
    name: "broker-kill",
    title: "kill -9 of the broker that leads a queue",
    async strike(system) {
      const node = await leaderOf(system);
      await node.kill();
      await Bun.sleep(system.random.between(0, 2000));
      await node.start();
      await system.environment.rabbit.settled();
    },
  },
  {
    name: "broker-freeze",
    title: "the broker that leads a queue is suspended for up to eight seconds",
    async strike(system) {
      const node = await leaderOf(system);
      await node.freeze();
      await Bun.sleep(system.random.between(200, 8000));
      await thaw(system.environment.rabbit, node);
    },
  },
  {
    name: "machine-lost",
    title: "a consumer is killed together with its broker, which hangs, and started elsewhere",
    async strike(system) {
      const { environment, random, consumers } = system;
      const consumer = random.of(consumers);
      const node = environment.rabbit.nodes.find(({ port }) => port === portOf(consumer));
      if (!node) return;
      // RabbitMQ notices neither at once. Until then, it keeps what the consumer held, and gives the new one what comes after it. So it does
      // with the others of that broker, which find another one when it has been silent for too long.
      const affected = consumers.filter((other) => portOf(other) === node.port);
      const noticed = affected.map((other) => system.disorder(other));
      await node.freeze();
      await restart(consumer);
      await Bun.sleep(random.between(200, 8000));
      await thaw(environment.rabbit, node);
      for (const end of noticed) end();
    },
  },
];

/** Returns the port of the broker that a program is connected to, as its output says. Undefined if it does not. */
function portOf({ output }: Program): number | undefined {
  const line = output.findLast((line) => line.includes("Connected to RabbitMQ"));
  return Number(/"broker":"[^"]*:(\d+)/.exec(line ?? "")?.[1]) || undefined;
}

export const strikes: Strikes = [...processes, ...database, ...brokers];

/**
 * Returns the strikes that an environment allows.
 *
 * @throws {Error} if it allows none.
 */
export function possibleStrikes(of: Strikes, environment: Environment): Strikes {
  const [first, ...more] = of.filter(({ isPossible }) => isPossible?.(environment) ?? true);
  if (!first) throw new Error(`Not possible on this machine: ${of.map(({ name }) => name).join(", ")}.`);
  return [first, ...more];
}
