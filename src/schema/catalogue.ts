import { isErasure } from "./erasure";
import { type EventType, eventTypesOf } from "./event-type";
import { checkTargets } from "./references";
import type { Resource } from "./resource";
import { tickEventType, tickType } from "./tick-type";

/** All resources and event types of a program. */
export class Catalogue {
  /** All event types, except those of erasures, which consumers have to name. */
  readonly eventTypes: readonly string[];
  readonly #byType = new Map<string, EventType>();

  /** @throws {Error} if two resources share a name or plural, or a reference leads to a resource that is not there. */
  constructor(readonly resources: readonly Resource[]) {
    const taken = new Set<string>();
    checkTargets(resources);
    for (const resource of resources) {
      for (const word of new Set([resource.name, resource.plural])) {
        if (taken.has(word)) throw new Error(`Two resources are named "${word}". Give one of them another name or plural.`);
        taken.add(word);
      }
      for (const type of eventTypesOf(resource)) this.#byType.set(type.type, type);
    }
    this.eventTypes = [...this.#byType.keys()].filter((type) => !isErasure(type));
  }

  /** All event types with their versions, also those of erasures. */
  get types(): EventType[] {
    return [...this.#byType.values()];
  }

  /** Returns an event type with its versions, also that of schedules, or undefined if it is unknown. */
  eventType(type: string): EventType | undefined {
    return type === tickType ? tickEventType : this.#byType.get(type);
  }

  /** Returns the resource that an event type belongs to, or undefined if the type is unknown. */
  resourceOf(eventType: string): Resource | undefined {
    return this.#byType.get(eventType)?.resource;
  }

  /** Returns the resource with this name, or undefined if there is none. */
  resource(name: string): Resource | undefined {
    return this.resources.find((resource) => resource.name === name);
  }

  /** Returns the resource whose shared queue has this name, or undefined if there is none. */
  ownerOf(queue: string): Resource | undefined {
    return this.resources.find((resource) => resource.queue === queue);
  }

  /** Returns the resources that have a reference to a resource. */
  referrersOf({ name }: Pick<Resource, "name">): Resource[] {
    return this.resources.filter(({ references }) => references.some(({ to }) => to === name));
  }

  /** Returns the shared queues of the resources, then the given ones. */
  queuesWith(own: readonly string[]): string[] {
    return [...this.resources.map(({ queue }) => queue), ...own];
  }

  /**
   * Returns the event types that match any of the patterns. A pattern is an event type (`item.created`), or contains wildcards as
   * in an AMQP 0-9-1 topic exchange: `*` for one word, `#` for any number of words. Examples: `item.*`, `*.deleted`, `#`. Only a
   * pattern that ends with `.erased` selects the events of erasures, and only `schedule.due` those of schedules.
   *
   * @throws {UnknownEventType} if a pattern matches no event type. The message lists the known types.
   */
  select(patterns: readonly string[]): string[] {
    const selected = new Set<string>();
    for (const pattern of patterns) {
      const matches = pattern === tickType ? [tickType] : [...this.#byType.keys()].filter((type) => selects(pattern, type));
      if (matches.length === 0) throw new UnknownEventType(pattern, this.eventTypes);
      for (const type of matches) selected.add(type);
    }
    return [...this.#byType.keys(), tickType].filter((type) => selected.has(type));
  }
}

/** A pattern matches no known event type. */
export class UnknownEventType extends Error {
  override readonly name = "UnknownEventType";
  constructor(pattern: string, known: readonly string[]) {
    super(`Unknown event type "${pattern}". Known: ${known.join(", ")}; patterns such as item.* are also allowed.`);
  }
}

/** Returns whether a pattern selects an event type: see {@link Catalogue.select}. */
export function selects(pattern: string, type: string): boolean {
  return matchesTopic(pattern, type) && (!isErasure(type) || isErasure(pattern));
}

/** Returns whether a key matches a topic pattern of AMQP 0-9-1 (section 3.1.3.3): `*` is one word, `#` is zero or more words. */
export function matchesTopic(pattern: string, key: string): boolean {
  return match(pattern.split("."), key.split("."));
}

function match(pattern: readonly string[], words: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return words.length === 0;
  if (head === "#") return match(rest, words) || (words.length > 0 && match(pattern, words.slice(1)));
  return words.length > 0 && (head === "*" || head === words[0]) && match(rest, words.slice(1));
}
