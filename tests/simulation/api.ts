import { type Engine, startEngine } from "../../src/engine/engine";
import { loadCatalogue } from "../../src/project/resources";
import { StoreUnavailable } from "../../src/store/errors";
import type { Store } from "../../src/store/store";
import type { Environment } from "./environment";
import { item, noteOf } from "./item";
import type { Process } from "./process";

const stopTimeoutMs = 9000;

/** The API without HTTP: successive processes on one database. */
export class Api {
  process: Process | undefined;
  #engine: Engine | undefined;
  /** Offset of its clock when it starts, in milliseconds. */
  clockOffsetMs = 0;
  readonly #items: number[] = [];
  #tags = 0;

  constructor(readonly environment: Environment) {}

  get isRunning(): boolean {
    return this.process?.isAlive === true;
  }

  /** Undefined if the API does not run or has not started completely. */
  get engine(): Engine | undefined {
    return this.isRunning ? this.#engine : undefined;
  }

  start(): void {
    const { world, config } = this.environment;
    const process = this.environment.spawn("api");
    if (this.process && this.process.clockOffsetMs !== this.clockOffsetMs) this.environment.history.jump();
    process.clockOffsetMs = this.clockOffsetMs;
    this.process = process;
    this.#engine = undefined;
    process.onDeath.push(() => {
      this.environment.history.apiInterruptions += 1;
    });
    world.enter(process, () => {
      loadCatalogue()
        .then((catalogue) => startEngine(config, catalogue, process.log))
        .then(
          (engine) => {
            engine.dependencies.system.onAppend(() => this.environment.history.read());
            this.#engine = engine;
          },
          (error) => this.#exit(process, `could not start: ${String(error)}`),
        );
    });
  }

  /** Stops the API as SIGTERM does. */
  stop(): void {
    this.use("stops", async (engine, process) => {
      setTimeout(() => this.#exit(process, "took too long to stop"), stopTimeoutMs);
      await engine.stop();
      this.#exit(process, "has stopped");
    });
  }

  insert(): void {
    this.#change("insert", async ({ dependencies: { system: store } }) => {
      const { id, version } = await store.insert(item, { name: "thing", description: null, price: null });
      this.#items.push(id);
      this.environment.history.acknowledged.push(`item.created ${id} ${version}`);
    });
  }

  update(id = this.#anyItem()): void {
    if (id === undefined) return;
    this.#change(`update ${id}`, async ({ dependencies: { system: store } }) => {
      const stored = await store.update(item, id, ({ name, description, price }) => ({ name, description, price: (price ?? 0) + 1 }));
      if (stored) this.environment.history.acknowledged.push(`item.updated ${id} ${stored.version}`);
    });
  }

  remove(id = this.#anyItem()): void {
    if (id === undefined) return;
    this.#change(`remove ${id}`, async ({ dependencies: { system: store } }) => {
      const stored = await store.remove(item, id);
      this.#items.splice(this.#items.indexOf(id), 1);
      if (stored) this.environment.history.acknowledged.push(`item.deleted ${id} ${stored.version}`);
    });
  }

  /** Sets a timer, with a key that a handler uses, too, or replaces it. */
  remind(id = this.#anyItem()): void {
    const [tag, key, after] = [this.#nextTag(), `remind:${id}`, this.environment.world.chance.below(3000)];
    this.#note(id, noteOf.set(tag, key, after), { later: [{ event: "reminded", after, key, data: { tag } }] });
  }

  calm(id = this.#anyItem()): void {
    const [tag, key] = [this.#nextTag(), `remind:${id}`];
    this.#note(id, noteOf.cancel(tag, key), { cancel: [key] });
  }

  #nextTag(): string {
    this.#tags += 1;
    return `client${this.#tags}`;
  }

  #note(id: number | undefined, description: string, timers: Parameters<Store["update"]>[3]): void {
    if (id === undefined) return;
    this.#change(`update ${id}: ${description}`, async ({ dependencies: { system: store } }) => {
      const stored = await store.update(item, id, ({ name, price }) => ({ name, description, price }), timers as object);
      if (stored) this.environment.history.acknowledged.push(`item.updated ${id} ${stored.version}`);
    });
  }

  redrive(queue: string): void {
    this.use(`redrives ${queue}`, async ({ dependencies }) => {
      await dependencies.deadLetters.redrive(queue, {}).catch((error) => this.environment.world.note(`redrive: ${String(error)}`));
    });
  }

  replay(queue: string, force: boolean): void {
    this.use(`replays ${queue}${force ? ", forced" : ""}`, async ({ dependencies }) => {
      const everything = { types: null, subject: null, from: null, to: null, rate: null };
      await dependencies.replays
        .start(queue, { ...everything, force })
        .catch((error) => this.environment.world.note(`replay: ${String(error)}`));
    });
  }

  #anyItem(): number | undefined {
    return this.#items.length === 0 ? undefined : this.environment.world.chance.pick(this.#items);
  }

  #change(what: string, change: (engine: Engine) => Promise<void>): void {
    this.use(what, (engine, process) =>
      change(engine).catch((error) => {
        const expected = error instanceof StoreUnavailable && this.environment.plan.faults.has("disk full");
        if (process.isAlive && !expected) this.environment.world.breach(`the api refused a change: ${String(error)}`);
      }),
    );
  }

  /** Uses the engine of a running process. */
  use(what: string, work: (engine: Engine, process: Process) => Promise<void>): void {
    const { engine, process } = this;
    if (!engine || !process) return;
    this.environment.world.note(`${process.name} ${what}`);
    this.environment.world.enter(process, () => void work(engine, process));
  }

  #exit(process: Process, why: string): void {
    if (!process.isAlive) return;
    this.environment.world.note(`${process.name} ${why}`);
    process.kill();
  }
}
