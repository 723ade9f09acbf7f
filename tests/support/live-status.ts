import { Distribution, workSeconds } from "../../src/observe/tally";
import { ConsumerReports } from "../../src/status/consumer-reports";
import { LiveStatus } from "../../src/status/live-status";
import type { Sources } from "../../src/status/system-state";
import type { Store } from "../../src/store/store";
import { sqliteIn } from "./engines";

/** Returns the live status of a store in a folder, without RabbitMQ. It looks 50 times a second while somebody follows. */
export function liveStatusOf(folder: string, store: Store, { catalogue, consumers }: Pick<Sources, "catalogue" | "consumers">): LiveStatus {
  return new LiveStatus({
    sources: {
      ...{ config: { ...sqliteIn(folder), rabbitmq: null }, broker: undefined, consumers, catalogue },
      ...{ transport: { name: "embedded", reason: "of the test" }, isServed: async () => true },
    },
    store,
    reports: new ConsumerReports(consumers),
    changeSeconds: new Distribution(workSeconds),
    everyMs: 20,
  });
}
