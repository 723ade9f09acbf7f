import { RefusedChange } from "../schema/refused-change";

/** The event whose handler makes a change. The events of the change name it. */
export interface Cause {
  readonly id: string;
  /** Number of events that led to it, each caused by the one before. 0 if it has no cause. */
  readonly depth: number;
}

/** An event that caused another one, or was caused by it. */
export interface RelatedEvent {
  readonly id: string;
  readonly type: string;
  /** Id of the record that it is about. */
  readonly subject: number;
}

/** Maximum depth of an event. Handlers that cause each other's events would go on for ever without it. */
export const mostDepth = 32;

/** Handlers cause each other's events in a circle, or nearly. Nothing changed. */
export class ChainTooLong extends RefusedChange {
  override readonly name = "ChainTooLong";
  /** @param chain the events of the chain, the last one first. Default: only the last one is named. */
  constructor({ id }: Cause, chain: readonly RelatedEvent[] = []) {
    const upTo = chain.length > 0 ? "" : `, up to the event ${id}`;
    const links = chain.map(({ id, type, subject }) => `\n${id} ${type} ${subject}`);
    super(
      `Handlers have caused ${mostDepth} events in a row${upTo}, so this looks like a circle: a handler whose change causes ` +
        `the event that it handles. Nothing was changed.${links.length > 0 ? ` The events with their records, the last one first:${links.join("")}` : ""}`,
    );
  }
}
