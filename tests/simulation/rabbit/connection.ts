import { EventEmitter } from "node:events";
import type { Process } from "../process";
import type { World } from "../world";
import type { SimulatedBroker } from "./broker";
import { SimulatedChannel } from "./channel";
import { Link } from "./link";
import { Session } from "./session";

/** A connection of amqplib to the simulated broker. */
export class SimulatedConnection extends EventEmitter {
  session: Session | undefined;
  readonly channels = new Set<SimulatedChannel>();
  readonly toBroker: Link;
  readonly toClient: Link;
  #isClosed = false;

  private constructor(
    readonly world: World,
    readonly process: Process,
    readonly broker: SimulatedBroker,
  ) {
    super();
    this.toBroker = new Link(world, undefined, () => !broker.isUp || (broker.hasAlarm && this.session?.hasPublished === true));
    this.toClient = new Link(world, process);
    process.onDeath.push(() => this.cut());
  }

  /** Opens a connection. Rejects if the broker is down. */
  static open(world: World, process: Process, broker: SimulatedBroker): Promise<SimulatedConnection> {
    return new Promise((resolve, reject) => {
      if (!broker.isUp) {
        process.setTimer(() => reject(new Error("connect ECONNREFUSED")), 1, false);
        return;
      }
      const connection = new SimulatedConnection(world, process, broker);
      connection.once("close", () => reject(new Error("Socket closed abruptly during opening handshake")));
      connection.toBroker.send(() => {
        const { toClient } = connection;
        connection.session = new Session(broker, toClient, {
          lost: () => connection.#shut(new Error("Unexpected close")),
          alarm: (isOn) => connection.emit(isOn ? "blocked" : "unblocked", "low on memory"),
        });
        toClient.send(() => resolve(connection));
        if (broker.hasAlarm) toClient.send(() => connection.emit("blocked", "low on memory"));
      });
    });
  }

  createChannel(): Promise<SimulatedChannel> {
    if (this.#isClosed) return Promise.reject(new Error("Connection closed"));
    const channel = new SimulatedChannel(this);
    this.channels.add(channel);
    return channel.open();
  }

  createConfirmChannel(): Promise<SimulatedChannel> {
    return this.createChannel();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      this.once("close", resolve);
      this.toBroker.send(() => this.#end());
    });
  }

  /** Cuts the connection. Each end notices separately. */
  cut(): void {
    this.toBroker.cut(() => this.session?.close());
    this.toClient.cut(() => this.#shut(new Error("read ECONNRESET")));
  }

  #end(): void {
    this.session?.close();
    this.toClient.cut(() => this.#shut());
  }

  #shut(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.toBroker.cut(() => this.session?.close());
    for (const channel of [...this.channels]) channel.shut(error);
    this.emit("close", error);
  }
}
