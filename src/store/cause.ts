import { RefusedChange } from "../schema/refused-change";

/** The event whose handler makes a change. The events of the change name it. */
export interface Cause {
  readonly id: string;
  /** Number of events that led to it, each caused by the one before. 0 if it has no cause. */
  readonly depth: number;
}

/** Maximum depth of an event. Handlers that cause each other's events would go on for ever without it. */
export const mostDepth = 32;

/** Handlers cause each other's events in a circle, or nearly. Nothing changed. */
export class ChainTooLong extends RefusedChange {
  override readonly name = "ChainTooLong";
  constructor({ id }: Cause) {
    super(
      `Handlers have caused ${mostDepth} events in a row, up to the event ${id}, so this looks like a circle: a handler whose change causes ` +
        "the event that it handles. Nothing was changed.",
    );
  }
}
