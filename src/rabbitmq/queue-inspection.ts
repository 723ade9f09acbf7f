import type { RabbitmqConfig } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { Broker } from "./connection";
import { Management } from "./management";
import { dangersOf, type QueueDanger, refusalReason } from "./queue-dangers";
import { type QueueFacts, queueFacts } from "./queue-facts";
import { isAccessDenied } from "./reply-code";

/** Finds dangers of a queue that follow from its arguments and policies. */
export interface Inspection {
  readonly dangers: readonly QueueDanger[];
  readonly isQuorum: boolean;
  /** Why it could refuse events; undefined: nothing says that it does. */
  readonly limit: string | undefined;
}

/** Looks at how queues were set up: over AMQP, or by the management API where one is configured. */
export class QueueInspector {
  readonly management: Management | undefined;
  #isManagementAway = false;

  constructor(
    readonly broker: Broker,
    { managementUrl, url }: RabbitmqConfig,
    readonly log: Log,
  ) {
    if (managementUrl !== null) this.management = new Management(managementUrl, url);
  }

  /** Undefined: there is no such queue. */
  async inspect(queue: string): Promise<Inspection | undefined> {
    const facts = await this.#facts(queue);
    if (!facts) return undefined;
    return {
      dangers: dangersOf(queue, facts).map((danger) => this.#unlessPolicy(danger)),
      isQuorum: facts.arguments["x-queue-type"] === "quorum",
      limit: refusalReason(facts),
    };
  }

  /** The queues that are bound to an exchange, also by other programs; none where no management API tells. */
  async boundQueues(exchange: string): Promise<readonly string[]> {
    return (await this.#ask((management) => management.boundQueues(exchange))) ?? [];
  }

  /** Where policies are not seen, a danger may have been mended by one. */
  #unlessPolicy(danger: QueueDanger): QueueDanger {
    if (danger.argument !== "x-delivery-limit" || (this.management && !this.#isManagementAway)) return danger;
    return { ...danger, todo: `${danger.todo} AMQP does not show whether a policy already does; set RABBITMQ_MANAGEMENT_URL to see it.` };
  }

  async #facts(queue: string): Promise<QueueFacts | undefined> {
    const managed = await this.#ask((management) => management.queueFacts(queue));
    if (managed) return managed;
    try {
      return await queueFacts(this.broker, queue);
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      this.log.info(
        { queue, error: messageOf(error) },
        "Cannot check the setup of this queue: this needs permission to declare it, or the management API",
      );
      return undefined;
    }
  }

  /** One warning, however long the management API is away. */
  async #ask<T>(question: (management: Management) => Promise<T>): Promise<T | undefined> {
    if (!this.management) return undefined;
    try {
      const answer = await question(this.management);
      this.#isManagementAway = false;
      return answer;
    } catch (error) {
      this.log[this.#isManagementAway ? "debug" : "warn"](
        { error: messageOf(error) },
        "Cannot query RabbitMQ's management API; policies are not checked",
      );
      this.#isManagementAway = true;
      return undefined;
    }
  }
}

/** For a person: what happens, and what sets it. */
export function dangerText(queue: string, { argument, what }: QueueDanger): string {
  return `"${queue}" drops events: ${what} (${argument}).`;
}
