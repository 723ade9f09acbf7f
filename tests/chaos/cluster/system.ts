import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../support/folder";
import { freePort } from "../../support/net";
import type { PostgresSchema } from "../../support/postgres";
import { eventually } from "../../support/processes";
import { startProxy, type TcpProxy } from "../../support/proxy";
import type { Observation } from "../history";
import { Program } from "../program";
import { type Bug, chaosProject } from "../project";
import { Random } from "../random";
import { ClusterClients } from "./clients";
import { type Environment, heal } from "./environment";
import type { Disorder } from "./history";
import { TailingReader } from "./reader";
import { readinessOf } from "./readiness";
import { ClusterRecords } from "./records";
import { watchPositions } from "./stale-positions";
import type { DatabaseWay } from "./ways";

export interface ClusterOptions {
  readonly environment: Environment;
  readonly random: Random;
  /** Bugs that the run should find. Default: none. */
  readonly bugs?: readonly Bug[];
  /** Time without any progress, in milliseconds, after which missing events count as lost. Default: 45 s. */
  readonly patienceMs?: number | undefined;
  /** Folder for the output of each program. Default: it is dropped. */
  readonly logs?: string | undefined;
}

/** The consumers: two processes that share a queue, and two that have one each. All but the last one have effects exactly once. */
const consumers = [
  { name: "once-1", queue: "chaos-once", once: true },
  { name: "once-2", queue: "chaos-once", once: true },
  { name: "alone", queue: "chaos-alone", once: true },
  { name: "plain", queue: "chaos-plain", once: false },
] as const;

/** Time in which a consumer handles what it already holds, on a busy machine, in milliseconds. */
const inHandMs = 10_000;
/**
 * How long a process may take to be ready in the end. The relay leaves a node that confirms nothing after 30 s, and the next one after 60 s;
 * on a busy machine, queues that lost two brokers one after another can take that.
 */
const readyWithinMs = 150_000;

const open = new Set<ClusterSystem>();

/** Removes the systems of aborted runs. */
export async function removeClusterSystems(): Promise<void> {
  for (const system of open) await system.remove();
}

/** Three processes of the API on one PostgreSQL and three brokers, their consumers, clients and a reader. */
export class ClusterSystem {
  readonly observations: Observation[] = [];
  readonly folder = temporaryFolder();
  readonly project: ReturnType<typeof chaosProject>;
  readonly apis: readonly [Program, ...Program[]];
  readonly consumers: readonly [Program, ...Program[]];
  readonly clients: ClusterClients;
  readonly records: ClusterRecords;
  /** The tailing reader. Undefined until all processes of the API have started. */
  reader: TailingReader | undefined;
  readonly urls: readonly [string, ...string[]];
  readonly #proxies = new Map<string, TcpProxy>();
  /** When the order was not promised, by queue. */
  readonly disorders = new Map<string, Disorder[]>();
  /** How strikes that last are undone. */
  readonly #undo: (() => unknown)[] = [];
  readonly #key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

  private constructor(
    readonly options: ClusterOptions,
    readonly schema: PostgresSchema,
  ) {
    this.project = chaosProject(join(import.meta.dir, "project"), options.bugs);
    const ports = [freePort(), freePort(), freePort()] as const;
    this.urls = ports.map((port) => `http://127.0.0.1:${port}`) as [string, ...string[]];
    this.apis = ports.map((port, index) => this.#apiOn(`api-${index + 1}`, port)) as [Program, ...Program[]];
    this.consumers = consumers.map((role) => this.#consumer(role)) as [Program, ...Program[]];
    this.clients = new ClusterClients(this.urls, new Random(options.random.seed + 1));
    this.records = new ClusterRecords(this);
  }

  static async start(options: ClusterOptions): Promise<ClusterSystem> {
    const system = new ClusterSystem(options, await options.environment.fresh());
    open.add(system);
    try {
      for (const program of system.programs) system.#proxies.set(program.name, await startProxy(system.#wayOf(program.name).port));
      await system.startAll();
      await watchPositions(system.schema);
      system.reader = new TailingReader(system.urls, new Random(options.random.seed + 2));
      return system;
    } catch (error) {
      await system.remove();
      throw error;
    }
  }

  get random(): Random {
    return this.options.random;
  }
  get environment(): Environment {
    return this.options.environment;
  }
  get programs(): readonly [Program, ...Program[]] {
    return [...this.apis, ...this.consumers];
  }

  /** Returns the proxy through which a program reaches the database. */
  networkOf({ name }: Program): TcpProxy {
    const proxy = this.#proxies.get(name);
    if (!proxy) throw new Error(`${name} has no proxy.`);
    return proxy;
  }

  dataDirOf(name: string): string {
    return join(this.folder.path, name);
  }
  recordFileOf(queue: string): string {
    return join(this.folder.path, `${queue}.txt`);
  }
  readonly roles = consumers;

  observe(violation: string, detail: string): void {
    this.observations.push({ violation, detail });
  }

  /** Notes that order is not promised to a consumer from now on. Returns a function to call when it is again. */
  disorder({ name }: Program): () => void {
    const { queue } = consumers.find((role) => role.name === name) ?? consumers[0];
    const disorder = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.disorders.set(queue, [...(this.disorders.get(queue) ?? []), disorder]);
    return () => {
      disorder.to = Date.now() + inHandMs;
    };
  }

  /** Registers how to undo a strike whose damage outlasts it. */
  afterwards(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /** Resolves with the process that sends the events to RabbitMQ. Waits until one does. */
  relaying(): Promise<Program> {
    return eventually(
      async () => {
        for (const [index, api] of this.apis.entries()) {
          const ready = await readinessOf(this.urls[index] ?? "");
          if (ready?.relay) return api;
        }
        return undefined;
      },
      "a process to send the events",
      60_000,
    );
  }

  /** Starts every stopped program. Resolves when all of them work. */
  async startAll(): Promise<void> {
    await Promise.all(this.apis.map((api) => api.start()));
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
  }

  /** Undoes all strikes, and starts what is stopped. */
  async heal(): Promise<void> {
    for (const undo of this.#undo.splice(0)) await undo();
    await heal(this.environment.postgres, this.environment.rabbit);
    await this.startAll();
  }

  /** Checks that every process of the API is ready, after a while. */
  async checkReadiness(): Promise<void> {
    for (const [index, { name }] of this.apis.entries()) {
      let last = "it does not respond";
      const isReady = async () => {
        const ready = await readinessOf(this.urls[index] ?? "");
        if (ready) last = JSON.stringify(ready);
        return ready?.status === "ready" || undefined;
      };
      await eventually(isReady, "readiness", readyWithinMs).catch(() =>
        this.observe("not-ready", `${name} is not ready at the end: ${last}`),
      );
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
    await Promise.all(this.apis.map((api) => api.stop()));
  }

  /** Ends every process and removes all files. */
  async remove(): Promise<void> {
    if (!open.delete(this)) return;
    for (const undo of this.#undo.splice(0)) await Promise.resolve(undo()).catch(() => {});
    await Promise.all(this.programs.map((program) => program.remove()));
    await Promise.all([this.clients.stop(), this.reader?.stop()]);
    await this.records.close();
    for (const proxy of this.#proxies.values()) proxy.close();
    this.project.remove();
    this.folder.remove();
  }

  #apiOn(name: string, port: number): Program {
    const env = { ...this.#environmentOf(name), PORT: String(port), NODE_ENV: "production" };
    return this.#program(name, ["src/main.ts"], env, "Warren listens on");
  }

  #consumer({ name, queue, once }: (typeof consumers)[number]): Program {
    const args = [
      "--preload",
      join(this.project.path, "tests/chaos/programs/crash-before-ack.ts"),
      "consumers/chaos.ts",
      "--queue",
      queue,
      ...(once ? ["--once"] : []),
    ];
    return this.#program(name, args, { ...this.#environmentOf(name), RECORD_FILE: this.recordFileOf(queue) }, "ready");
  }

  #program(name: string, args: readonly string[], env: Record<string, string>, ready: string): Program {
    const command = (once: Record<string, string>) => ({
      args,
      options: { cwd: this.project.path, env: { ...env, ...this.#databaseOf(name), ...once } },
    });
    const { logs, random } = this.options;
    const keep = (output: readonly string[]) => {
      if (logs) appendFileSync(join(logs, `${random.seed}-${name}.log`), `${output.join("\n")}\n`);
    };
    return new Program(name, command, ready, (detail) => this.observe("unexpected-exit", detail), keep);
  }

  /** Its own data folder, as if each process was on a machine of its own. */
  #environmentOf(name: string): Record<string, string> {
    const { environment, logs } = this.options;
    return {
      DATA_DIR: this.dataDirOf(name),
      RABBITMQ_URL: environment.rabbit.url,
      QUEUE_TYPE: "quorum",
      WARREN_KEY: this.#key,
      ...(logs && { LOG_LEVEL: "debug" }),
    };
  }

  /** Each process of the API, and of a queue, has another way to the database. */
  #wayOf(name: string): DatabaseWay {
    const { ways } = this.environment;
    return ways[(Number(/\d+$/.exec(name)?.[0] ?? 1) - 1) % ways.length] ?? ways[0];
  }

  #databaseOf(name: string): Record<string, string> {
    const way = this.#wayOf(name);
    return { DATABASE_URL: way.urlOf(this.schema, this.#proxies.get(name)?.port ?? way.port) };
  }
}
