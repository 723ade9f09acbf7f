// Handles every event as if it were new.
import type { Inbox } from "../../../src/store/consumer/inbox";
import { SqliteConsumerData } from "../../../src/store/sqlite/consumer/data";

const { get } = Object.getOwnPropertyDescriptor(SqliteConsumerData.prototype, "inbox") as { get: () => Inbox };

Object.defineProperty(SqliteConsumerData.prototype, "inbox", {
  get(this: SqliteConsumerData): Inbox {
    const inbox = get.call(this);
    const claim: Inbox["claim"] = async (eventIds, now) => {
      await inbox.claim(eventIds, now);
      return new Set(eventIds);
    };
    return { ...inbox, claim };
  },
});
