import { KeyedRequest } from "../keyed-request";
import type { Random } from "../random";
import type { Request } from "./history";

/** How many of each kind work at the same time. */
const owners = 5;
const movers = 3;
/** Accounts between which money moves. */
const shared = 5;
/**
 * Clients that are spread over the processes of the API: some create, rename and delete accounts, others move money between a few shared
 * ones. Each request has an Idempotency-Key, and is sent again, to another process, until it is answered.
 */
export class ClusterClients {
  readonly requests: Request[] = [];
  acknowledged = 0;
  /** Number of requests that were sent again after no or a bad response. */
  repeated = 0;
  readonly #shared: number[] = [];
  #working: Promise<unknown> | undefined;
  #stopping = false;
  #marks = 0;
  #waiting: { count: number; resolve(): void }[] = [];

  /** @param urls the processes of the API. */
  constructor(
    readonly urls: readonly [string, ...string[]],
    readonly random: Random,
  ) {}

  async start(): Promise<void> {
    this.#stopping = false;
    while (this.#shared.length < shared) {
      const account = await this.#create();
      if (account) this.#shared.push(account.id);
    }
    this.#working = Promise.all([
      ...Array.from({ length: owners }, () => this.#own()),
      ...Array.from({ length: movers }, () => this.#move()),
    ]);
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

  async #own(): Promise<void> {
    const { random } = this;
    const mine: number[] = [];
    while (!this.#stopping) {
      const index = random.between(0, Math.max(0, mine.length - 1));
      const id = mine[index];
      if (id === undefined || (mine.length < 10 && random.chance(0.3))) {
        const account = await this.#create();
        if (account) mine.push(account.id);
      } else if (random.chance(0.8)) {
        const owner = this.#mark();
        await this.#ask("rename", owner, "PATCH", `/accounts/${id}`, { owner });
      } else {
        // Whether or not it is deleted, no client uses the account again.
        mine.splice(index, 1);
        await this.#ask("delete", String(id), "DELETE", `/accounts/${id}`);
      }
      await Bun.sleep(random.between(2, 30));
    }
  }

  async #move(): Promise<void> {
    const { random } = this;
    while (!this.#stopping) {
      const from = random.between(0, shared - 1);
      const to = (from + random.between(1, shared - 1)) % shared;
      const note = this.#mark();
      await this.#ask("transfer", note, "POST", `/accounts/${this.#shared[from]}/transfer`, { to: this.#shared[to], amount: 1, note });
      await Bun.sleep(random.between(2, 30));
    }
  }

  /** Now and then with a code that another account may have. */
  async #create(): Promise<{ id: number } | null> {
    const owner = this.#mark();
    const code = this.random.chance(0.2) ? `popular ${this.random.between(1, 20)}` : owner;
    return this.#ask("create", owner, "POST", "/accounts", { code, owner });
  }

  #mark(): string {
    this.#marks += 1;
    return `change ${this.#marks}`;
  }

  async #ask(kind: Request["kind"], mark: string, method: string, path: string, body?: object): Promise<{ id: number } | null> {
    const onRepeat = () => {
      this.repeated += 1;
    };
    const request = new KeyedRequest(this.urls, this.random, onRepeat, { method, path, body });
    const { told, answer, body: text } = await request.send();
    // A repeated request gets the first response, wherever it arrives.
    const again = told === "done" && this.random.chance(0.05) ? await request.send() : undefined;
    const changedAnswer = again !== undefined && again.told !== "unknown" && again.body !== text;
    this.requests.push({ kind, mark, told, answer, changedAnswer });
    if (told === "done") this.#acknowledge();
    return answer;
  }

  #acknowledge(): void {
    this.acknowledged += 1;
    const due = this.#waiting.filter(({ count }) => count <= this.acknowledged);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ count }) => count > this.acknowledged);
    for (const { resolve } of due) resolve();
  }
}
