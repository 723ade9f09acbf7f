import { type EventType, eventTypesOf } from "./event-type";
import type { Resource } from "./resource";

/** Every resource of the program, and with them every event type. */
export class Catalogue {
  readonly eventTypes: readonly string[];
  readonly #byType = new Map<string, EventType>();

  /** @throws {Error} when two resources would share a name or a table. */
  constructor(readonly resources: readonly Resource[]) {
    const taken = new Set<string>();
    for (const resource of resources) {
      for (const word of new Set([resource.name, resource.plural])) {
        if (taken.has(word)) throw new Error(`Two resources are called "${word}"; give one of them another name or plural.`);
        taken.add(word);
      }
      for (const type of eventTypesOf(resource)) this.#byType.set(type.type, type);
    }
    this.eventTypes = [...this.#byType.keys()];
  }

  /** An event type with its versions. */
  eventType(type: string): EventType | undefined {
    return this.#byType.get(type);
  }

  resourceOf(eventType: string): Resource | undefined {
    return this.#byType.get(eventType)?.resource;
  }

  /** The resource whose shared queue this is, if it is one. */
  ownerOf(queue: string): Resource | undefined {
    return this.resources.find((resource) => resource.queue === queue);
  }

  /**
   * The event types that the patterns name. A pattern is a type (`item.created`) or has `*` for one word and `#` for
   * any number of them, as in a topic exchange of AMQP 0-9-1: `item.*`, `*.deleted`, `#`.
   *
   * @throws {UnknownEventType} for a pattern that names none; its message lists the known types.
   */
  select(patterns: readonly string[]): string[] {
    const selected = new Set<string>();
    for (const pattern of patterns) {
      const matches = this.eventTypes.filter((type) => matchesTopic(pattern, type));
      if (matches.length === 0) throw new UnknownEventType(pattern, this.eventTypes);
      for (const type of matches) selected.add(type);
    }
    return this.eventTypes.filter((type) => selected.has(type));
  }
}

export class UnknownEventType extends Error {
  override readonly name = "UnknownEventType";
  constructor(pattern: string, known: readonly string[]) {
    super(`Unknown event type "${pattern}". Known: ${known.join(", ")}; patterns such as item.* are fine too.`);
  }
}

/** Topic matching of AMQP 0-9-1 (section 3.1.3.3): `*` is one word, `#` is none or more. */
export function matchesTopic(pattern: string, key: string): boolean {
  return match(pattern.split("."), key.split("."));
}

function match(pattern: readonly string[], words: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return words.length === 0;
  if (head === "#") return match(rest, words) || (words.length > 0 && match(pattern, words.slice(1)));
  return words.length > 0 && (head === "*" || head === words[0]) && match(rest, words.slice(1));
}
