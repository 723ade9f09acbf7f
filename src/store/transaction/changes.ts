import type { Recorded } from "../../schema/record";
import type { Resource, ResourceTypes } from "../../schema/resource";
import type { When } from "../timers";
import { TransactionAttempt } from "./attempt";
import type { Transaction } from "./transaction";

/** When an event of a record is due, its data, and the key by which to cancel or replace it. */
export type LaterOptions<Data extends object = object> = When & { readonly data?: Data; readonly key?: string };

/**
 * Reads and changes records from the handler of a consumer. All changes are committed together with their events and a note that the
 * handler has done its event, when it returns, or none is. However often the event comes, they are made once.
 *
 * Await each call. A handler runs again if something that it has read changes before the commit, so it must have no other effects. A
 * change that breaks a schema, rule or reference makes the event a dead letter; `Conflict` is tried again, as any error is. A handler
 * may catch either.
 */
export interface Changes extends Transaction {
  /**
   * Publishes a custom event of a record later, with the record as it is then. Rejects with `RecordNotFound` if the record does not exist.
   *
   * @example
   * await change.later(order, id, "expired", { after: "30m", key: `expire:${id}` });
   */
  later<T extends ResourceTypes, Event extends keyof T["events"] & string>(
    resource: Resource<T>,
    id: number,
    event: Event,
    options: LaterOptions<T["events"][Event]>,
  ): Promise<Recorded<T["fields"]>>;
  /** Cancels the event that was to be published later with this key, if there is one. */
  cancel(key: string): Promise<void>;
  /** Forgets all changes that the handler has made so far, and returns this object, to make others. */
  undo(): Changes;
}

/** One run of a handler that reads and changes records. */
export class ChangeAttempt extends TransactionAttempt implements Changes {
  /**
   * True to ask with each change whether it could be committed, so that the handler gets what a unique value or a reference refuses at
   * its call, where it can catch it. Default: false; it shows at the commit.
   */
  checksEach = false;

  later<T extends ResourceTypes, Event extends keyof T["events"] & string>(
    resource: Resource<T>,
    id: number,
    event: Event,
    options: LaterOptions<T["events"][Event]>,
  ): Promise<Recorded<T["fields"]>> {
    return this.update(resource as Resource, id, {}, { later: [{ event, ...options }] }) as Promise<Recorded<T["fields"]>>;
  }

  cancel(key: string): Promise<void> {
    return this.call("cancel", undefined, undefined, async () => void this.view.cancelled.push(key));
  }

  undo(): Changes {
    this.view.undo();
    return this;
  }

  protected override call<R>(method: string, resource: Resource | undefined, id: number | undefined, work: () => Promise<R>): Promise<R> {
    return super.call(method, resource, id, () => this.perform(`change.${method}(${argumentsOf(resource, id)})`, work));
  }

  /**
   * Does the work of a call.
   *
   * @param _call text that identifies it.
   */
  protected async perform<R>(_call: string, work: () => Promise<R>): Promise<R> {
    if (!this.checksEach) return work();
    const { length } = this.view.writes;
    const forget = this.view.mark();
    const value = await work();
    if (this.view.writes.length === length) return value;
    const { once, ...context } = this.context;
    try {
      await this.engine.check({ reads: [], writes: this.view.writes, cancel: [], context, answerOf: () => undefined });
    } catch (error) {
      forget();
      throw error;
    }
    return value;
  }
}

function argumentsOf(resource: Resource | undefined, id: number | undefined): string {
  return [resource?.name, id].filter((part) => part !== undefined).join(", ");
}
