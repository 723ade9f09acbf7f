import type { Resource } from "../schema/resource";
import type { RelatedEvent } from "../store/cause";
import { errorFrom } from "../store/error-text";
import type { NewSchedule } from "../store/schedules";
import type { Stored } from "../store/stored";
import type { Committed, Plan, TransactionEngine } from "../store/transaction/engine";
import { type Operation, type OperationAnswer, planned } from "./operations";

/** Maximum number of operations in a request. */
const mostOperations = 500;
/** Length of operations above which a request takes no more of them, in characters. One has three bytes at most. */
const longRequest = 1024 * 1024;

/** The operations that wait for the disk. */
const writing: ReadonlySet<Operation["ask"]> = new Set(["commit", "cancelTimer", "schedule", "removeSchedule"]);

/** A way to an API. */
export interface Door {
  /** Sends operations. */
  post(body: string): Promise<Response>;
  /** Returns what it means that no answer came. */
  unreached(error: unknown): Error;
  /** Resolves with what another answer than the asked one means. */
  refused(response: Response): Promise<Error>;
}

interface Waiting {
  /** The operation as JSON. */
  readonly text: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Operations that are asked for in the same turn. */
interface Request {
  readonly all: Waiting[];
  length: number;
}

/**
 * Reads and commits through the API that owns a database. Operations that are asked for at the same time are one request. Rejects with
 * `StoreUnavailable` while the API cannot be reached, or does not let this process in.
 */
export class ChangesLink implements TransactionEngine {
  readonly #waiting = new Map<"reads" | "commits", Request>();

  constructor(readonly door: Door) {}

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

  async chain(event: string): Promise<readonly RelatedEvent[]> {
    return (await this.#ask({ ask: "chain", event })) as RelatedEvent[];
  }

  /** Cancels a timer. Resolves with false if there was none. */
  async cancelTimer(number: number): Promise<boolean> {
    return (await this.#ask({ ask: "cancelTimer", number })) as boolean;
  }

  /** Removes the schedule of a consumer. Resolves with false if there was none. */
  async removeSchedule(queue: string): Promise<boolean> {
    return (await this.#ask({ ask: "removeSchedule", queue })) as boolean;
  }

  /** Announces the schedule of a consumer. */
  async announce(schedule: NewSchedule): Promise<void> {
    await this.#ask({ ask: "schedule", schedule });
  }

  #ask(operation: Operation): Promise<unknown> {
    // Apart, since a read need not wait for the disk.
    const kind = writing.has(operation.ask) ? "commits" : "reads";
    const text = JSON.stringify(operation);
    return new Promise((resolve, reject) => {
      const own = { text, resolve, reject };
      const request = this.#waiting.get(kind);
      if (request && request.all.length < mostOperations && request.length + text.length < longRequest) {
        request.all.push(own);
        request.length += text.length;
      } else this.#begin(kind, { all: [own], length: text.length });
    });
  }

  #begin(kind: "reads" | "commits", request: Request): void {
    this.#waiting.set(kind, request);
    setImmediate(() => {
      if (this.#waiting.get(kind) === request) this.#waiting.delete(kind);
      void this.#send(request.all);
    });
  }

  async #send(all: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#request(`[${all.map(({ text }) => text).join()}]`);
      for (const [index, answer] of answers.entries()) {
        if ("error" in answer) all[index]?.reject(errorFrom(answer.error));
        else all[index]?.resolve(answer.value);
      }
    } catch (error) {
      for (const { reject } of all) reject(error as Error);
    }
  }

  async #request(body: string): Promise<readonly OperationAnswer[]> {
    let response: Response;
    try {
      response = await this.door.post(body);
      if (response.ok) return (await response.json()) as OperationAnswer[];
    } catch (error) {
      throw this.door.unreached(error);
    }
    throw await this.door.refused(response);
  }
}
