import type { Catalogue } from "../schema/catalogue";
import { isErasure } from "../schema/erasure";
import type { AskedVersions } from "../schema/event";
import { newestVersion } from "../schema/event-type";
import { tickType } from "../schema/tick-type";
import { ConsumerError } from "./consumer-error";
import { checkQueueName } from "./queue-name";

/**
 * Returns the event types that the patterns of a consumer select. Without patterns, all types of the queue.
 *
 * @throws {ConsumerError} if they do not suit the queue.
 * @throws {UnknownEventType} if a pattern matches no event type.
 */
export function wantedTypes(queue: string | undefined, events: readonly string[] | undefined, catalogue: Catalogue): ReadonlySet<string> {
  if (queue !== undefined) checkQueueName(queue);
  if (events?.includes(tickType)) throw new ConsumerError(`"${tickType}" is not for \`events\`: set a \`schedule\`, such as "0 9 * * 1".`);
  if (events?.length === 0) throw new ConsumerError("`events` is empty: omit it for all events, or list some.");
  const owner = queue === undefined ? undefined : catalogue.ownerOf(queue);
  const wanted = catalogue.select(events ?? (owner ? [`${owner.name}.*`] : ["#"]));
  if (owner && wanted.filter((type) => !isErasure(type)).join() !== owner.eventTypes.join()) {
    throw new ConsumerError(
      `"${queue}" is shared by all consumers of ${owner.name} events; events that one of them filters out would be lost to the others. ` +
        "To filter, use a queue of your own, or omit `queue` for a temporary one.",
    );
  }
  return new Set(wanted);
}

/** @throws {ConsumerError} for a version that does not exist, or to which events cannot be converted. */
export function askedVersions(versions: AskedVersions, catalogue: Catalogue): AskedVersions {
  for (const [name, version = Number.NaN] of Object.entries(versions)) {
    const [selected = ""] = catalogue.select([name]);
    const type = catalogue.eventType(name);
    if (!type) throw new ConsumerError(`versions: use event types, such as "${selected}", instead of the pattern "${name}".`);
    const newest = newestVersion(type);
    if (!Number.isInteger(version) || version < 1 || version > newest) {
      throw new ConsumerError(`versions: ${name} has ${newest === 1 ? "version 1" : `versions 1 to ${newest}`}, not ${version}.`);
    }
    const missing = type.steps.findLastIndex(({ down }, index) => index >= version - 1 && !down);
    if (missing >= 0) {
      throw new ConsumerError(
        `versions: ${name} cannot be converted to version ${version}, because there is no conversion from version ${missing + 2} to version ${missing + 1}: ` +
          `add a \`down\` to that past version, where "${type.resource.name}" is defined.`,
      );
    }
  }
  return versions;
}
