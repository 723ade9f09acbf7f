import { messageOf } from "../observe/logging";
import type { Resource } from "../schema/resource";
import { errorFrom } from "../store/error-text";
import { StoreUnavailable } from "../store/errors";
import type { Stored } from "../store/stored";
import type { Committed, Plan, TransactionEngine } from "../store/transaction/engine";
import { type Access, accessFileOf } from "./access-file";
import { type Operation, type OperationAnswer, planned } from "./operations";

/** Time limit of a request, in milliseconds. A commit may wait for a slow disk. */
const answerMs = 20_000;
/** Maximum number of operations in a request. */
const mostOperations = 500;

interface Waiting {
  readonly operation: Operation;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Reads and commits through the API that owns a SQLite database, on this machine. Operations that are asked for at the same time are one
 * request. Rejects with `StoreUnavailable` while no API runs.
 */
export class ChangesLink implements TransactionEngine {
  readonly #waiting = new Map<"reads" | "commits", Waiting[]>();
  #access: Promise<Access> | undefined;

  /** @param file the database. */
  constructor(readonly file: string) {}

  async newest({ name }: Resource, id: number): Promise<Stored | undefined> {
    return ((await this.#ask({ ask: "record", resource: name, id })) as Stored | null) ?? undefined;
  }

  async newestByKey(resource: Resource, name: string, values: object): Promise<number | undefined> {
    return ((await this.#ask({ ask: "key", resource: resource.name, name, values })) as number | null) ?? undefined;
  }

  async newestList({ name }: Resource, where: object): Promise<readonly Stored[] | undefined> {
    return ((await this.#ask({ ask: "list", resource: name, where })) as Stored[] | null) ?? undefined;
  }

  async reserveId({ name }: Resource): Promise<number> {
    return (await this.#ask({ ask: "id", resource: name })) as number;
  }

  async commit(plan: Plan): Promise<Committed> {
    return (await this.#ask(planned("commit", plan))) as Committed;
  }

  async check(plan: Plan): Promise<void> {
    await this.#ask(planned("check", plan));
  }

  /** Cancels a timer. Resolves with false if there was none. */
  async cancelTimer(number: number): Promise<boolean> {
    return (await this.#ask({ ask: "cancelTimer", number })) as boolean;
  }

  #ask(operation: Operation): Promise<unknown> {
    // Apart, since a read need not wait for the disk.
    const kind = operation.ask === "commit" || operation.ask === "cancelTimer" ? "commits" : "reads";
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(kind);
      const own = { operation, resolve, reject };
      if (waiting && waiting.length < mostOperations) waiting.push(own);
      else {
        const all = [own];
        this.#waiting.set(kind, all);
        setImmediate(() => {
          if (this.#waiting.get(kind) === all) this.#waiting.delete(kind);
          void this.#send(all);
        });
      }
    });
  }

  async #send(all: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#request(all.map(({ operation }) => operation));
      for (const [index, answer] of answers.entries()) {
        if ("error" in answer) all[index]?.reject(errorFrom(answer.error));
        else all[index]?.resolve(answer.value);
      }
    } catch (error) {
      for (const { reject } of all) reject(error as Error);
    }
  }

  async #request(operations: readonly Operation[]): Promise<readonly OperationAnswer[]> {
    const body = JSON.stringify(operations);
    let response: Response;
    try {
      response = await this.#post(body);
      if (response.status === 401) {
        // The API was started again, with another secret.
        this.#access = undefined;
        response = await this.#post(body);
      }
      if (response.ok) return (await response.json()) as OperationAnswer[];
    } catch (error) {
      // The next one that starts has another address.
      this.#access = undefined;
      throw new StoreUnavailable(`The API that owns ${this.file} cannot be reached: start it. (${messageOf(error)})`, { cause: error });
    }
    if (response.status === 401) throw new StoreUnavailable(`The API that owns ${this.file} starts.`);
    throw errorFrom((await response.json()) as Parameters<typeof errorFrom>[0]);
  }

  async #post(body: string): Promise<Response> {
    this.#access ??= readAccess(this.file);
    const { socket, secret } = await this.#access;
    return fetch("http://localhost/", {
      ...{ unix: socket, method: "POST", headers: { authorization: secret }, body, signal: AbortSignal.timeout(answerMs) },
    });
  }
}

async function readAccess(database: string): Promise<Access> {
  return (await Bun.file(accessFileOf(database)).json()) as Access;
}
