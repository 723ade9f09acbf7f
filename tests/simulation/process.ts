import type { Database, Statement } from "bun:sqlite";
import type { Log } from "../../src/observe/logging";
import type { Lane, World } from "./world";

type Callback = () => void;

interface SimulatedTimer {
  due: number;
  readonly order: number;
  readonly everyMs: number | undefined;
  readonly callback: Callback;
}

/** Thrown into the code of a dead process when it tries to act. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/**
 * A process of the simulated system, with timers and open databases. It can die between any two externally visible actions. Its remaining
 * code has no effect afterwards.
 */
export class Process implements Lane {
  isAlive = true;
  /** While true, no write to a database is committed. */
  diskFull = false;
  /** Offset of its clock from the world's, in milliseconds. */
  clockOffsetMs = 0;
  readonly databases = new Set<Database>();
  readonly statements: Statement[] = [];
  readonly log: Log;
  /** Called after its death. */
  readonly onDeath: Callback[] = [];
  readonly #immediates: Callback[] = [];
  readonly #timers = new Map<object, SimulatedTimer>();
  #order = 0;
  #actsToLive = Number.POSITIVE_INFINITY;

  constructor(
    readonly world: World,
    readonly name: string,
  ) {
    this.log = this.#makeLog();
    world.lanes.add(this);
  }

  /** Makes the process die at its n-th act from now on. */
  dieAfter(acts: number): void {
    this.#actsToLive = acts;
  }

  /** Call before and after every externally visible action. Returns false if the process is dead. */
  act(what: string): boolean {
    if (this.isAlive) this.#actsToLive -= 1;
    if (this.isAlive && this.#actsToLive < 0) {
      this.world.note(`${this.name} dies at ${what}`);
      this.kill();
    }
    return this.isAlive;
  }

  /** Ends the process as kill -9 does. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.world.lanes.delete(this);
    this.#timers.clear();
    this.#immediates.length = 0;
    if (this.world.current !== this) this.bury();
  }

  /** Releases the resources of a dead process, as the operating system does. */
  bury(): void {
    for (const statement of this.statements.splice(0)) statement.finalize();
    for (const database of this.databases) {
      try {
        if (database.inTransaction) database.run("ROLLBACK");
      } catch {
        // It was closed already.
      }
      database.close();
    }
    this.databases.clear();
    for (const tell of this.onDeath.splice(0)) tell();
  }

  setImmediate(callback: Callback): object {
    if (this.isAlive) this.#immediates.push(callback);
    return {};
  }

  setTimer(callback: Callback, ms: number, repeats: boolean): object {
    const every = Math.max(1, ms || 0);
    const handle = { ref: () => handle, unref: () => handle, hasRef: () => true };
    this.#order += 1;
    const timer = { due: this.world.now + every, order: this.#order, everyMs: repeats ? every : undefined, callback };
    if (this.isAlive) this.#timers.set(handle, timer);
    return handle;
  }

  clearTimer(handle: object): void {
    this.#timers.delete(handle);
  }

  readyAt(): number {
    return this.#immediates.length > 0 ? 0 : (this.#first()?.[1].due ?? Number.POSITIVE_INFINITY);
  }

  run(): void {
    const first = this.#first();
    const timer = first && first[1].due <= this.world.now ? first : undefined;
    const immediate = timer && this.#immediates.length > 0 ? this.world.chance.chance(0.5) : !timer;
    if (immediate) this.world.enter(this, this.#immediates.shift() as Callback);
    else if (timer) this.#fire(...timer);
  }

  #fire(handle: object, timer: SimulatedTimer): void {
    if (timer.everyMs === undefined) this.#timers.delete(handle);
    else timer.due = this.world.now + timer.everyMs;
    this.world.enter(this, timer.callback);
  }

  #first(): [object, SimulatedTimer] | undefined {
    let first: [object, SimulatedTimer] | undefined;
    for (const entry of this.#timers) {
      const [, { due, order }] = entry;
      if (!first || due < first[1].due || (due === first[1].due && order < first[1].order)) first = entry;
    }
    return first;
  }

  #makeLog(): Log {
    const write = (level: string) => (about: unknown, message?: string) => {
      if (!this.isAlive) return;
      const { error = "", event = "" } = typeof about === "object" && about !== null ? (about as Record<string, unknown>) : {};
      this.world.note(`${this.name} ${level}: ${message ?? String(about)} ${event} ${error}`.trimEnd());
    };
    const log: Record<string, unknown> = { child: () => log, debug: () => {}, trace: () => {} };
    for (const level of ["info", "warn", "error", "fatal"]) log[level] = write(level);
    return log as unknown as Log;
  }
}
