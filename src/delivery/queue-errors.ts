/** Thrown if a requested queue does not exist. */
export class UnknownQueue extends Error {
  override readonly name = "UnknownQueue";
  constructor(queue: string) {
    super(`There is no queue "${queue}": a consumer makes its queue when it runs for the first time.`);
  }
}

/** Thrown if RabbitMQ is unreachable, another process holds the queue, or a limit is reached. Nothing is lost; try again. */
export class QueueUnavailable extends Error {
  override readonly name = "QueueUnavailable";
}
