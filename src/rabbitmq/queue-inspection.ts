import type { RabbitmqConfig } from "../config/rabbitmq";
import { type Log, messageOf } from "../observe/logging";
import type { Broker } from "./connection";
import { Management } from "./management";
import { dangersOf, deliveryLimitOf, type QueueDanger, refusalReason } from "./queue-dangers";
import { type QueueFacts, queueFacts } from "./queue-facts";
import { isAccessDenied } from "./reply-code";

/** Result of inspecting the arguments and policies of a queue. */
export interface Inspection {
  readonly dangers: readonly QueueDanger[];
  readonly isQuorum: boolean;
  /** Number of deliveries without a settlement after which RabbitMQ gives up an event, if it is a quorum queue. */
  readonly deliveryLimit: number;
  /** Why the queue could refuse events. Undefined if its setup does not say so. */
  readonly limit: string | undefined;
}

/** Inspects how queues were set up: with the management API if one is configured, otherwise over AMQP. */
export class QueueInspector {
  readonly management: Management | undefined;
  readonly isCluster: boolean;
  #isManagementAway = false;

  constructor(
    readonly broker: Broker,
    { urls, managementUrls, vhost }: Pick<RabbitmqConfig, "urls" | "managementUrls" | "vhost">,
    readonly log: Log,
  ) {
    this.isCluster = urls.length > 1;
    if (managementUrls !== null) this.management = new Management(managementUrls, vhost);
  }

  /** Resolves with undefined if the queue does not exist, or if RabbitMQ denies access to it. */
  async inspect(queue: string): Promise<Inspection | undefined> {
    const facts = await this.#facts(queue);
    if (!facts) return undefined;
    return {
      dangers: dangersOf(queue, facts, this.isCluster).map((danger) => this.#unlessPolicy(danger)),
      isQuorum: facts.arguments["x-queue-type"] === "quorum",
      deliveryLimit: deliveryLimitOf(facts),
      limit: refusalReason(facts),
    };
  }

  /** Resolves with whether the setup of a queue says that it may refuse events. */
  async hasLimit(queue: string): Promise<boolean> {
    return (await this.inspect(queue))?.limit !== undefined;
  }

  /** Resolves with the queues bound to an exchange, including those of other programs. Empty without a management API. */
  async boundQueues(exchange: string): Promise<readonly string[]> {
    return (await this.#ask((management) => management.boundQueues(exchange))) ?? [];
  }

  /** Adds a note to a danger that a policy may already prevent, if policies are not visible. */
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

  /** Queries the management API. Logs one warning per outage. */
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

/** Describes a danger in a sentence: the effect, and the setting that causes it. */
export function dangerText(queue: string, { argument, what }: QueueDanger): string {
  return `"${queue}" drops events: ${what} (${argument}).`;
}
