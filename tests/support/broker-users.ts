import type { OwnRabbit } from "./rabbit";

/** Permissions of a RabbitMQ user, as regular expressions for `rabbitmqctl set_permissions`. */
export interface Rights {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** Minimum permissions of each role, per docs/security.md. The consumer's queue is called `audit`. */
export const roles = {
  api: {
    configure: "^(events|item_events|audit|warren\\.subscriptions)$",
    write: "^(events|amq\\.default|item_events|audit)$",
    read: "^(events|item_events|audit|audit\\.dead|item_events\\.dead|warren\\.subscriptions)$",
  },
  /** The API with QUEUE_TYPE=quorum, which may also convert queues. */
  quorum: {
    configure: "^(events|(item_events|audit)(\\.(dead|converting))?|warren\\.subscriptions)$",
    write: "^(events|amq\\.default|(item_events|audit)(\\.(dead|converting))?)$",
    read: "^(events|(item_events|audit)(\\.(dead|converting))?|warren\\.subscriptions)$",
  },
  consumer: {
    configure: "^audit\\.(dead|retry\\.\\d+)$",
    write: "^(amq\\.default|audit\\.(dead|retry\\.\\d+))$",
    read: "^audit(\\.(dead|retry\\.\\d+))?$",
  },
  sharer: { configure: "^$", write: "^$", read: "^item_events$" },
  mallory: { configure: "^$", write: "^amq\\.default$", read: "^mallory$" },
} as const satisfies Record<string, Rights>;

/** Creates a user whose password is its name. Returns its connection URL. */
export async function addUser(rabbit: OwnRabbit, name: string, { configure, write, read }: Rights): Promise<string> {
  await rabbit.ctl("add_user", name, name);
  await rabbit.ctl("set_permissions", name, configure, write, read);
  return `amqp://${name}:${name}@127.0.0.1:${rabbit.port}/`;
}
