import type { SimulatedBroker } from "./broker";
import type { Link } from "./link";
import type { Entry, Message, Queue } from "./queue";

/** Notifications to a client's channel. */
export interface ChannelEnd {
  confirm(sequence: number, refused: boolean): void;
  returned(message: Message): void;
  deliver(consumerTag: string, deliveryTag: number, message: Message, redelivered: boolean): void;
  cancelledByBroker(consumerTag: string): void;
  failed(code: number, text: string): void;
}

/** An error for which RabbitMQ closes the channel. */
export class ChannelError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** A consumer of a queue, on the broker's side. */
export class Subscriber {
  inFlight = 0;
  constructor(
    readonly channel: BrokerChannel,
    readonly queue: Queue,
    readonly tag: string,
    readonly prefetch: number,
    readonly exclusive: boolean,
  ) {}

  get hasRoom(): boolean {
    return this.channel.session.broker.isUp && (this.prefetch === 0 || this.inFlight < this.prefetch) && this.channel.hasRoom;
  }

  deliver(entry: Entry): void {
    this.inFlight += 1;
    this.channel.deliver(this, entry);
  }

  cancelled(): void {
    this.channel.drop(this);
    this.channel.tell((end) => end.cancelledByBroker(this.tag));
  }
}

/** The broker's end of a channel. */
export class BrokerChannel {
  readonly subscribers = new Map<string, Subscriber>();
  readonly #unacked = new Map<number, { readonly entry: Entry; readonly subscriber: Subscriber }>();
  prefetch = 0;
  globalPrefetch = 0;
  #deliveryTag = 0;

  constructor(
    readonly session: Session,
    readonly end: ChannelEnd,
  ) {}

  get hasRoom(): boolean {
    return this.globalPrefetch === 0 || this.#unacked.size < this.globalPrefetch;
  }

  tell(what: (end: ChannelEnd) => void): void {
    this.session.toClient.send(() => what(this.end));
  }

  deliver(subscriber: Subscriber, entry: Entry): void {
    this.#deliveryTag += 1;
    const tag = this.#deliveryTag;
    this.#unacked.set(tag, { entry, subscriber });
    const { message, redelivered } = entry;
    this.tell((end) => end.deliver(subscriber.tag, tag, message, redelivered));
  }

  /** Removes messages from their queue, or requeues them at their previous position. */
  settle(deliveryTag: number, allUpTo: boolean, requeue: boolean): void {
    const tags = allUpTo ? [...this.#unacked.keys()].filter((tag) => tag <= deliveryTag) : [deliveryTag];
    for (const tag of tags) {
      const unacked = this.#unacked.get(tag);
      if (!unacked) throw new ChannelError(406, `PRECONDITION_FAILED - unknown delivery tag ${tag}`);
      this.#unacked.delete(tag);
      const { entry, subscriber } = unacked;
      subscriber.inFlight -= 1;
      subscriber.queue.unacked -= 1;
      entry.redelivered = true;
      if (requeue) subscriber.queue.put(entry);
      else {
        subscriber.queue.settle(entry);
        this.session.broker.watch.acked(subscriber.queue.name, entry.message);
      }
    }
  }

  subscribe(queue: Queue, tag: string, exclusive: boolean): void {
    if (queue.subscribers.some((other) => exclusive || other.exclusive)) {
      throw new ChannelError(403, `ACCESS_REFUSED - queue '${queue.name}' in vhost '/' in exclusive use`);
    }
    const subscriber = new Subscriber(this, queue, tag, this.prefetch, exclusive);
    this.subscribers.set(tag, subscriber);
    queue.subscribers.push(subscriber);
  }

  drop(subscriber: Subscriber | undefined): void {
    if (!subscriber) return;
    this.subscribers.delete(subscriber.tag);
    const { subscribers } = subscriber.queue;
    if (subscribers.includes(subscriber)) subscribers.splice(subscribers.indexOf(subscriber), 1);
  }

  /** Closes the channel and requeues unsettled messages. */
  close(): void {
    for (const subscriber of [...this.subscribers.values()]) this.drop(subscriber);
    for (const tag of [...this.#unacked.keys()]) this.settle(tag, false, true);
    this.session.channels.delete(this);
  }
}

/** The broker's end of a connection. */
export class Session {
  readonly channels = new Set<BrokerChannel>();
  readonly exclusiveQueues: string[] = [];
  hasPublished = false;

  constructor(
    readonly broker: SimulatedBroker,
    readonly toClient: Link,
    readonly client: {
      /** Called when the connection is lost. */
      lost(): void;
      alarm(isOn: boolean): void;
    },
  ) {
    broker.sessions.add(this);
  }

  openChannel(end: ChannelEnd): BrokerChannel {
    const channel = new BrokerChannel(this, end);
    this.channels.add(channel);
    return channel;
  }

  /** Closes the connection and its channels, and deletes its exclusive queues. */
  close(): void {
    this.broker.sessions.delete(this);
    for (const channel of [...this.channels]) channel.close();
    for (const queue of this.exclusiveQueues) this.broker.deleteQueue(queue);
  }

  lose(): void {
    this.close();
    this.toClient.cut(() => this.client.lost());
  }
}
