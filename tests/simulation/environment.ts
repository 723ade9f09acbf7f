import { type Config, readConfig } from "../../src/config/config";
import { Files } from "./files";
import { History } from "./history";
import { consumersOf, type Plan } from "./plan";
import { Process } from "./process";
import { SimulatedBroker } from "./rabbit/broker";
import type { World } from "./world";

/** Surroundings of the simulated processes. */
export class Environment {
  readonly files: Files;
  readonly history: History;
  readonly broker: SimulatedBroker;
  readonly config: Config;
  #processes = 0;

  constructor(
    readonly world: World,
    readonly plan: Plan,
    folder: string,
  ) {
    this.files = new Files(world, folder);
    this.history = new History(world, this.files, consumersOf(plan));
    this.broker = new SimulatedBroker(world, {
      confirmed: (message, queues) => this.#confirmed(message, queues),
      acked: (queue, message) => this.#acked(queue, message),
    });
    const url = plan.transport === "rabbitmq" ? "amqp://guest:guest@127.0.0.1:5672/" : "none";
    this.config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${this.files.store}`, RABBITMQ_URL: url } });
  }

  spawn(name: string): Process {
    this.#processes += 1;
    this.world.note(`${name} starts`);
    return new Process(this.world, `${name} ${this.#processes}`);
  }

  hasEffect(queue: string, id: string): boolean {
    const history = this.history.queues.get(queue);
    return history?.plan.exactlyOnce ? this.files.hasEffect(queue, id) : (history?.effects.get(id) ?? 0) > 0;
  }

  #confirmed(
    { exchange, properties: { messageId = "", headers = {} } }: Parameters<SimulatedBroker["watch"]["confirmed"]>[0],
    queues: readonly string[],
  ) {
    // An event that was refused goes to each queue by itself; what failed, or was asked for again, says so in its headers.
    const isFirst = !["x-attempts", "x-redriven", "x-replay"].some((name) => name in headers);
    if ((exchange !== "" || isFirst) && queues.length > 0) this.history.relayed.add(messageId);
    for (const name of queues) {
      const [queue = ""] = /^(.*)\.(retry\.\d+|dead)$/.exec(name)?.slice(1) ?? [];
      const attempts = Number(headers["x-attempts"]);
      const parked = this.history.queues.get(queue)?.parked;
      parked?.set(messageId, Math.max(attempts, parked.get(messageId) ?? 0));
    }
  }

  /** Checks that a message leaves its queue only after its effect, or once its copy is safe. */
  #acked(name: string, { properties: { messageId = "", headers = {} } }: Parameters<SimulatedBroker["watch"]["acked"]>[1]): void {
    const queue = this.history.queues.get(name);
    const event = this.history.find(messageId);
    if (!queue || !event || !queue.wants(event.type) || this.hasEffect(name, messageId)) return;
    const attempts = Number(headers["x-attempts"] ?? 0);
    if ((queue.parked.get(messageId) ?? -1) <= attempts) {
      this.world.breach(`${event.type} of item ${event.item} was acknowledged on ${name} with neither an effect nor a copy that is safe`);
    }
  }
}
