import { KeyedRequest } from "../keyed-request";
import type { Random } from "../random";
import type { Request } from "./history";

const clients = 5;
/** Pots that all orders go into, so that handlers change the same ones. */
const pots = 3;
const hourMs = 3_600_000;

/** Clients that create and delete orders, and set, replace and cancel timers of them. Each order has one client. */
export class ActingClients {
  readonly requests: Request[] = [];
  acknowledged = 0;
  readonly #pots: number[] = [];
  #working: Promise<unknown> | undefined;
  #stopping = false;
  #marks = 0;
  #waiting: { count: number; resolve(): void }[] = [];

  /**
   * @param urls the processes of the API.
   * @param clock returns the time of the service. Undefined if it cannot be set: timers are then due within seconds.
   */
  constructor(
    readonly urls: readonly [string, ...string[]],
    readonly random: Random,
    readonly clock: (() => number) | undefined,
  ) {}

  async start(): Promise<void> {
    this.#stopping = false;
    while (this.#pots.length < pots) {
      const { answer } = await this.#send("POST", "/pots", { label: `pot ${this.#pots.length}` });
      if (answer) this.#pots.push(answer.id);
    }
    this.#working = Promise.all(Array.from({ length: clients }, () => this.#work()));
  }

  /** Stops the clients after the requests in progress. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
  }

  /** Resolves when `more` further changes are acknowledged. Fails after two minutes, since the service then does not work. */
  async until(more: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(() => done.reject(new Error(`The API did not acknowledge ${more} changes within two minutes.`)), 120_000);
    this.#waiting.push({ count: this.acknowledged + more, resolve: done.resolve });
    await done.promise.finally(() => clearTimeout(timer));
  }

  async #work(): Promise<void> {
    const { random } = this;
    const orders: number[] = [];
    while (!this.#stopping) {
      const index = random.between(0, Math.max(0, orders.length - 1));
      const id = orders[index];
      if (id === undefined || (orders.length < 8 && random.chance(0.4))) {
        const mark = this.#mark();
        const body = { pot: random.of(this.#pots as [number, ...number[]]), amount: random.between(1, 60), mark };
        const made = await this.#ask("create", mark, "POST", "/orders", body);
        if (made) orders.push(made.id);
      } else if (random.chance(0.15)) {
        // Whether or not it is deleted, no client uses the order again.
        orders.splice(index, 1);
        await this.#ask("delete", String(id), "DELETE", `/orders/${id}`);
      } else await this.#remind(id);
      await Bun.sleep(random.between(2, 20));
    }
  }

  async #remind(id: number): Promise<void> {
    const { random } = this;
    const tag = this.#mark();
    // Also the key that a handler uses.
    const key = `${random.of(["remind", "call"])}:${id}`;
    if (random.chance(0.25)) {
      await this.#ask("calm", tag, "POST", `/orders/${id}/calm`, { tag, key });
      return;
    }
    const isLong = this.clock !== undefined && random.chance(0.3);
    const afterMs = isLong ? random.between(0, hourMs) : random.between(0, 1500);
    const time = this.clock && random.chance(0.3) ? { at: new Date(this.clock() + afterMs).toISOString() } : { after: afterMs };
    await this.#ask("remind", tag, "POST", `/orders/${id}/remind`, { tag, ...time, ...(random.chance(0.7) && { key }) });
  }

  #mark(): string {
    this.#marks += 1;
    return `m${this.#marks}`;
  }

  async #ask(kind: Request["kind"], mark: string, method: string, path: string, body?: object): Promise<{ id: number } | null> {
    const { told, answer } = await this.#send(method, path, body);
    this.requests.push({ kind, mark, told });
    if (told === "done") this.#acknowledge();
    return answer;
  }

  #send(method: string, path: string, body?: object) {
    return new KeyedRequest(this.urls, this.random, () => {}, { method, path, body }).send();
  }

  #acknowledge(): void {
    this.acknowledged += 1;
    const due = this.#waiting.filter(({ count }) => count <= this.acknowledged);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.acknowledged);
    for (const { resolve } of due) resolve();
  }
}
