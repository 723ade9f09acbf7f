/** Thrown if a requested queue does not exist. */
export class UnknownQueue extends Error {
  override readonly name = "UnknownQueue";
  constructor(queue: string) {
    super(`There is no queue "${queue}". A consumer creates its queue when it first runs.`);
  }
}

/** Thrown if RabbitMQ is unreachable, another process holds the queue, or a limit is reached. Nothing is lost; try again. */
export class QueueUnavailable extends Error {
  override readonly name = "QueueUnavailable";
}

/** Thrown if a queue cannot be removed now. The message says why. */
export class NotRemovable extends Error {
  override readonly name = "NotRemovable";
}
