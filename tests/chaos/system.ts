import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { preloading } from "../support/processes";
import { startProxy, type TcpProxy } from "../support/proxy";
import type { OwnRabbit } from "../support/rabbit";
import { Clients } from "./clients";
import { Clock } from "./clock";
import { type Disk, mountDisk } from "./disk";
import { drain } from "./ending";
import type { Arrangement } from "./fault";
import type { Observation } from "./history";
import { type Command, Program } from "./program";
import { Random } from "./random";
import { Records } from "./records";
import { type Role, roleNames } from "./roles";

export interface SystemOptions {
  /** Undefined for the embedded transport. */
  readonly rabbit: OwnRabbit | undefined;
  readonly random: Random;
  readonly arrangement: Arrangement;
  /** Time without any progress, in milliseconds, after which missing events count as lost. Default: 15 s. */
  readonly patienceMs?: number | undefined;
  /** Modules loaded before the API's or a consumer's own, to plant bugs that the run should find. */
  readonly preload?: { readonly api?: string; readonly consumers?: string };
}

const open = new Set<System>();

/** Removes the systems of aborted runs. */
export async function removeSystems(): Promise<void> {
  for (const system of open) await system.remove();
}

/** The service, its consumers and its clients, each with separate processes or connections. */
export class System {
  readonly observations: Observation[] = [];
  readonly folder = temporaryFolder();
  readonly random: Random;
  readonly url: string;
  readonly clients: Clients;
  readonly api: Program;
  readonly consumers: Readonly<Record<Role, Program>>;
  readonly records: Records;
  /** Number of unconfirmed events at the last {@link quiet}. */
  backlog = 0;
  readonly #proxies = new Map<string, TcpProxy>();
  /** A separate generator, so that the strikes do not depend on how often the API is started. */
  readonly #lives: Random;
  #disk: Disk | undefined;
  #clock: Clock | undefined;

  private constructor(readonly options: SystemOptions) {
    this.random = options.random;
    this.records = new Records(this);
    this.#lives = new Random(options.random.seed);
    const port = freePort();
    this.url = `http://127.0.0.1:${port}`;
    // A separate generator, since the clients' timing varies and must not change the strikes.
    this.clients = new Clients(this.url, new Random(options.random.seed));
    const onEnd = (detail: string) => this.observe("process-ended", detail);
    this.api = new Program("api", (env) => this.#apiCommand({ PORT: String(port), ...env }), "Warren listens on", onEnd);
    const consumer = (role: Role) => new Program(role, (env) => this.#consumerCommand(role, env), "ready", onEnd);
    this.consumers = { shared: consumer("shared"), filtered: consumer("filtered"), once: consumer("once") };
  }

  static async start(options: SystemOptions): Promise<System> {
    const system = new System(options);
    open.add(system);
    const { rabbit, arrangement } = options;
    mkdirSync(system.dataDir);
    try {
      if (arrangement.diskMb) system.#disk = await mountDisk(join(system.folder.path, "disk"), arrangement.diskMb);
      if (arrangement.movableClock) system.#clock = new Clock(join(system.folder.path, "clock"));
      if (arrangement.proxies && rabbit) {
        for (const { name } of system.programs) system.#proxies.set(name, await startProxy(rabbit.port));
      }
      if (arrangement.brokerAbsent) await rabbit?.stop();
      await system.api.start();
      // The API creates a new queue of a consumer.
      if (arrangement.brokerAbsent) for (const program of system.programs) program.spawn();
      else await system.startAll();
      return system;
    } catch (error) {
      await system.remove();
      throw error;
    }
  }

  get rabbit(): OwnRabbit {
    if (!this.options.rabbit) throw new Error("There is no broker without RabbitMQ.");
    return this.options.rabbit;
  }
  get hasBroker(): boolean {
    return this.options.rabbit !== undefined;
  }
  get programs(): readonly [Program, ...Program[]] {
    return [this.api, ...roleNames.map((role) => this.consumers[role])];
  }
  get clock(): Clock {
    if (!this.#clock) throw new Error("The clock of this system cannot be moved.");
    return this.#clock;
  }
  get disk(): Disk {
    if (!this.#disk) throw new Error("This system has no disk of its own.");
    return this.#disk;
  }
  get dataDir(): string {
    return join(this.folder.path, "data");
  }
  get databaseFile(): string {
    return join(this.#disk?.path ?? this.dataDir, "warren.db");
  }
  get traceFile(): string {
    return join(this.folder.path, "trace");
  }

  recordFile(role: Role): string {
    return join(this.folder.path, `${role}.txt`);
  }

  proxyOf(program: Program): TcpProxy {
    const proxy = this.#proxies.get(program.name);
    if (!proxy) throw new Error(`${program.name} has no proxy.`);
    return proxy;
  }

  /** Records a failure. */
  observe(violation: string, detail: string): void {
    this.observations.push({ violation, detail });
  }

  /** Starts every stopped program. Resolves when all of them work. */
  async startAll(): Promise<void> {
    await this.api.start();
    await Promise.all(this.programs.map((program) => program.start()));
  }

  /** Waits until everything is confirmed and handled, or, if something is lost, until nothing happens any more. */
  async quiet(): Promise<void> {
    this.backlog = await drain(this, this.options.patienceMs);
  }

  async stopAll(): Promise<void> {
    await Promise.all(roleNames.map((role) => this.consumers[role].stop()));
    await this.api.stop();
  }

  /** Ends every process and removes all files. */
  async remove(): Promise<void> {
    if (!open.delete(this)) return;
    await Promise.all([...this.programs.map((program) => program.remove()), this.clients.stop()]);
    this.records.close();
    for (const proxy of this.#proxies.values()) proxy.close();
    await this.#disk?.remove();
    this.folder.remove();
  }

  /** Returns the environment variables of a program. */
  environmentOf({ name }: Program): Record<string, string> {
    const { rabbit } = this.options;
    const port = this.#proxies.get(name)?.port ?? rabbit?.port;
    return {
      DATABASE_URL: `sqlite:${this.databaseFile}`,
      DATA_DIR: this.dataDir,
      RABBITMQ_URL: port === undefined ? "none" : `amqp://guest:guest@127.0.0.1:${port}/`,
      ...this.#clock?.environment,
    };
  }

  #apiCommand(env: Record<string, string>): Command {
    const program = env["CRASH_POINT"] ? "tests/chaos/programs/api.ts" : "src/main.ts";
    // In about half of its starts, the API commits on a separate thread, as with a slow disk.
    const slow = this.#lives.chance(0.5) ? "tests/support/slow-commits.ts" : undefined;
    const args = [...preloading(this.options.preload?.api), ...preloading(slow), program];
    const options = { env: { NODE_ENV: "production", ...this.environmentOf(this.api), ...env } };
    if (!this.options.arrangement.traced) return { args, options };
    // With -D, the started process is the API itself and not strace.
    const strace = ["-D", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", this.traceFile, process.execPath, "--no-env-file"];
    return { args: [...strace, ...args], options: { ...options, program: "strace" } };
  }

  #consumerCommand(role: Role, env: Record<string, string>): Command {
    const args = [...preloading(this.options.preload?.consumers), "tests/chaos/programs/consumer.ts", "--role", role];
    return { args, options: { env: { ...this.environmentOf(this.consumers[role]), RECORD_FILE: this.recordFile(role), ...env } } };
  }
}
