import type { Resource } from "../schema/resource";
import { errorText } from "../store/error-text";
import type { Store } from "../store/store";
import { type Operation, type OperationAnswer, planOf } from "./operations";

/** Runs the operations of processes that change records. */
export class OperationAnswers {
  readonly #resources: ReadonlyMap<string, Resource>;

  constructor(
    readonly store: Pick<Store, "changing" | "timers" | "schedules">,
    resources: readonly Resource[],
  ) {
    this.#resources = new Map(resources.map((resource) => [resource.name, resource]));
  }

  /** Resolves with the answers in the order of the operations. Never rejects: an error is an answer. */
  to(operations: readonly Operation[]): Promise<OperationAnswer[]> {
    return Promise.all(operations.map((operation) => this.#outcome(operation)));
  }

  async #outcome(operation: Operation): Promise<OperationAnswer> {
    try {
      return { value: (await this.#run(operation)) ?? null };
    } catch (error) {
      return { error: errorText(error) };
    }
  }

  #run(operation: Operation): Promise<unknown> {
    const { changing: engine, timers, schedules } = this.store;
    if (operation.ask === "removeSchedule") return schedules.remove(operation.queue);
    if (operation.ask === "schedule") return schedules.announce(operation.schedule);
    if ("plan" in operation) return engine[operation.ask](planOf(operation.plan, (name) => this.#resource(name)));
    if (operation.ask === "chain") return engine.chain(operation.event);
    if (operation.ask === "cancelTimer") return timers.cancel(operation.number);
    const resource = this.#resource(operation.resource);
    if (operation.ask === "record") return engine.newest(resource, operation.id);
    if (operation.ask === "key") return engine.newestByKey(resource, operation.name, operation.values);
    if (operation.ask === "list") return engine.newestList(resource, operation.where);
    return engine.reserveId(resource);
  }

  #resource(name: string): Resource {
    const resource = this.#resources.get(name);
    if (resource) return resource;
    throw new TypeError(`The service has no resource "${name}". Start the API and this consumer from the same version of the project.`);
  }
}
