import { createLog } from "../observe/logging";
import type { AnyAnnouncement } from "../rabbitmq/announcement";
import { Announcer } from "../rabbitmq/announcer";
import type { Broker } from "../rabbitmq/connection";
import { signingKey } from "../rabbitmq/signing-key";
import { isServed } from "../store/open";
import { Trouble } from "./command";
import type { Reached } from "./transport";

/** Maximum time to wait for a running API. */
const patienceMs = 10_000;
const lookEveryMs = 50;

/**
 * Asks the API, in a signed message, to do something that only the API may do. Resolves with whether it is done. An API that is not running
 * does it when it starts.
 *
 * @param isDone Checks the API's database for the result.
 * @throws {Trouble} if a running API does not do it in time, or there is no signing key.
 */
export async function tellApi(
  reached: Reached,
  broker: Broker,
  announcement: AnyAnnouncement,
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  await announceToApi(reached, broker, announcement);
  if (!(await isServed(reached.config))) return isDone();
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await Bun.sleep(lookEveryMs)) {
    if (await isDone()) return true;
  }
  throw new Trouble("The API did not do this in time. If it refused, its log and `bun run status` show why.");
}

/**
 * Sends the API a signed message, without waiting for what it does.
 *
 * @throws {Trouble} if there is no signing key.
 */
export async function announceToApi({ config }: Reached, broker: Broker, announcement: AnyAnnouncement): Promise<void> {
  const log = createLog({ level: "warn", format: "pretty", stream: 2 });
  const key = signingKey(config, log);
  if (key === null || !config.rabbitmq) throw new Trouble("The API accepts only signed requests: set WARREN_KEY to that of the API.");
  await new Announcer(broker, key, log).announce(announcement);
}
