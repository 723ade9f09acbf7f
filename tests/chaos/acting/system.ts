import { join } from "node:path";
import { temporaryFolder } from "../../support/folder";
import { freePort } from "../../support/net";
import type { OwnPostgres, PostgresSchema } from "../../support/postgres";
import { schemaWithQueues } from "../../support/postgres-transport";
import type { OwnRabbit } from "../../support/rabbit";
import { Clock } from "../clock";
import type { Observation } from "../history";
import { needs } from "../needs";
import { Program } from "../program";
import { chaosProject } from "../project";
import { Random } from "../random";
import { ActingClients } from "./clients";
import { type Jump, queues } from "./history";
import { ActingRecords } from "./records";

/** Where the data and the queues are: in SQLite, in SQLite and RabbitMQ, in PostgreSQL with two processes of the API. */
export type Arrangement = "sqlite" | "rabbitmq" | "postgres";

export interface ActingOptions {
  readonly arrangement: Arrangement;
  readonly random: Random;
  /** Required for `rabbitmq`; must be empty. */
  readonly rabbit?: OwnRabbit | undefined;
  /** Required for `postgres`. */
  readonly postgres?: OwnPostgres | undefined;
  /** A file in tests/support/planted with a bug that the run should find. Default: none. */
  readonly planted?: string | undefined;
}

/** Time in which a change is committed that has its time already, in milliseconds. */
const underWayMs = 300;

const minuteMs = 60_000;

const open = new Set<ActingSystem>();

/** Removes the systems of aborted runs. */
export async function removeActingSystems(): Promise<void> {
  for (const system of open) await system.remove();
}

/** The service and the consumers that change its records, each in a process of its own, and clients. */
export class ActingSystem {
  readonly observations: Observation[] = [];
  readonly jumps: Jump[] = [];
  readonly urls: readonly [string, ...string[]];
  readonly apis: readonly [Program, ...Program[]];
  readonly consumers: Readonly<Record<keyof typeof queues, Program>>;
  readonly clients: ActingClients;
  readonly records: ActingRecords;
  readonly #folder = temporaryFolder();
  readonly #project: ReturnType<typeof chaosProject>;
  readonly #schema: PostgresSchema | undefined;
  /** Undefined if this machine cannot move the clock of a program. */
  readonly #clock: Clock | undefined;
  #offset = 0;
  #latest = 0;
  readonly #key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

  private constructor(readonly options: ActingOptions) {
    const { arrangement, random, postgres } = options;
    this.#project = chaosProject(join(import.meta.dir, "project"));
    this.#schema = postgres && schemaWithQueues(postgres);
    if (needs.libfaketime.met()) this.#clock = new Clock(join(this.#folder.path, "clock"));
    const ports = arrangement === "postgres" ? ([freePort(), freePort()] as const) : ([freePort()] as const);
    this.urls = ports.map((port) => `http://127.0.0.1:${port}`) as [string, ...string[]];
    this.apis = ports.map((port, index) =>
      this.#program(`api-${index + 1}`, ["src/main.ts"], { PORT: String(port), NODE_ENV: "production" }, "Warren listens on"),
    ) as [Program, ...Program[]];
    const consumer = (name: keyof typeof queues, ...flags: string[]) =>
      this.#program(name, ["consumers/acting.ts", "--queue", queues[name], ...flags], {}, "ready");
    this.consumers = { plain: consumer("plain"), once: consumer("once", "--once"), ticks: consumer("ticks", "--ticks") };
    this.clients = new ActingClients(this.urls, new Random(random.seed + 1), this.#clock && (() => Date.now() + this.#offset * 1000));
    this.records = new ActingRecords(this.#environment);
  }

  static async start(options: ActingOptions): Promise<ActingSystem> {
    const system = new ActingSystem(options);
    open.add(system);
    try {
      await system.startAll();
      return system;
    } catch (error) {
      await system.remove();
      throw error;
    }
  }

  get random(): Random {
    return this.options.random;
  }
  get programs(): readonly [Program, ...Program[]] {
    return [...this.apis, ...Object.values(this.consumers)];
  }
  get hasClock(): boolean {
    return this.#clock !== undefined;
  }

  observe(violation: string, detail: string): void {
    this.observations.push({ violation, detail });
  }

  /** Sets the clock of all programs to so many seconds after the real time. */
  async setClock(seconds: number): Promise<void> {
    const from = await this.records.end();
    this.#offset = seconds;
    this.#latest = Math.max(this.#latest, seconds);
    this.#clock?.set(seconds);
    await Bun.sleep(underWayMs);
    this.jumps.push({ from, to: await this.records.end() });
  }

  /** Puts the clock forward. */
  advance(seconds: number): Promise<void> {
    return this.setClock(this.#offset + seconds);
  }

  /**
   * Sets the clock to a time at which all timers are due: the longest is for an hour after the latest time. Resolves with the last time of
   * the schedule then, or with undefined if the clock cannot be set.
   */
  async passTime(): Promise<number | undefined> {
    if (!this.#clock) return undefined;
    await this.setClock(this.#latest + 2 * 3600);
    return Math.floor((Date.now() + this.#offset * 1000) / minuteMs) * minuteMs;
  }

  /** Starts every stopped program. Resolves when all of them work. */
  async startAll(): Promise<void> {
    await Promise.all(this.apis.map((api) => api.start()));
    await Promise.all(Object.values(this.consumers).map((consumer) => consumer.start()));
  }

  async stopAll(): Promise<void> {
    await Promise.all(Object.values(this.consumers).map((consumer) => consumer.stop()));
    await Promise.all(this.apis.map((api) => api.stop()));
  }

  /** Ends every process and removes all files. */
  async remove(): Promise<void> {
    if (!open.delete(this)) return;
    await Promise.all([...this.programs.map((program) => program.remove()), this.clients.stop()]);
    this.records.close();
    await this.#schema?.drop();
    this.#project.remove();
    this.#folder.remove();
  }

  get #environment(): Record<string, string> {
    const data = join(this.#folder.path, "data");
    return {
      DATA_DIR: data,
      DATABASE_URL: this.#schema?.url ?? `sqlite:${join(data, "warren.db")}`,
      RABBITMQ_URL: this.options.rabbit?.url ?? "none",
      WARREN_KEY: this.#key,
    };
  }

  #program(name: string, words: readonly string[], env: Record<string, string>, ready: string): Program {
    const { planted } = this.options;
    const modules = [...(planted ? [`tests/support/planted/${planted}.ts`] : []), "tests/chaos/programs/crash-in-changes.ts"];
    const args = [...modules.flatMap((file) => ["--preload", join(this.#project.path, file)]), ...words];
    const command = (once: Record<string, string>) => ({
      args,
      options: { cwd: this.#project.path, env: { ...this.#environment, ...this.#clock?.environment, ...env, ...once } },
    });
    return new Program(name, command, ready, (detail) => this.observe("process-ended", detail));
  }
}
