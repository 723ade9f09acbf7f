/** Whoever asked named a queue that is not there. */
export class UnknownQueue extends Error {
  override readonly name = "UnknownQueue";
  constructor(queue: string) {
    super(`There is no queue "${queue}": a consumer makes its queue when it runs for the first time.`);
  }
}

/** RabbitMQ is away, or somebody else has the queue in hand. Nothing was lost; it is worth another try. */
export class QueueUnavailable extends Error {
  override readonly name = "QueueUnavailable";
}
