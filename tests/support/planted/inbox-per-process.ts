// A process of a queue on PostgreSQL that does not know which events the other ones have handled.
import { PostgresConsumerData } from "../../../src/store/postgres/consumer/data";

const handled = new Map<string, number>();

const inbox: PostgresConsumerData["inbox"] = {
  has: async (eventId) => handled.has(eventId),
  async claim(eventIds, now) {
    const claimed = eventIds.filter((id) => !handled.has(id));
    for (const id of claimed) handled.set(id, now);
    return new Set(claimed);
  },
  async release(eventIds) {
    for (const id of eventIds) handled.delete(id);
  },
  async add(eventIds, now) {
    for (const id of eventIds) handled.set(id, now);
  },
  expire: async () => 0,
  async bound() {},
};
Object.defineProperty(PostgresConsumerData.prototype, "inbox", { get: () => inbox });
