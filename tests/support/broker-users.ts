import type { Rabbit } from "./rabbit";

/** What a user of RabbitMQ may configure, write and read, as regular expressions; as `rabbitmqctl set_permissions` takes them. */
export interface Rights {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** The least that each role needs, as docs/security.md has it: the queue of the consumer is called `audit`. */
export const roles = {
  api: {
    configure: "^(events|item_events|audit|warren\\.subscriptions)$",
    write: "^(events|amq\\.default|item_events|audit)$",
    read: "^(events|item_events|audit|audit\\.dead|item_events\\.dead|warren\\.subscriptions)$",
  },
  consumer: {
    configure: "^audit\\.(dead|retry\\.\\d+)$",
    write: "^(amq\\.default|audit\\.(dead|retry\\.\\d+))$",
    read: "^audit(\\.(dead|retry\\.\\d+))?$",
  },
  sharer: { configure: "^$", write: "^$", read: "^item_events$" },
  mallory: { configure: "^$", write: "^amq\\.default$", read: "^mallory$" },
} as const satisfies Record<string, Rights>;

/** Makes a user with a password that is its name. Returns the URL that it connects with. */
export async function addUser(rabbit: Rabbit, name: string, { configure, write, read }: Rights): Promise<string> {
  await rabbit.ctl("add_user", name, name);
  await rabbit.ctl("set_permissions", name, configure, write, read);
  return `amqp://${name}:${name}@127.0.0.1:${rabbit.port}/`;
}
