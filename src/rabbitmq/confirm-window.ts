import { ConfirmedPrefix } from "../delivery/confirmed-prefix";
import { spanTroubleOf } from "../delivery/outcome";
import type { Tracing } from "../observe/tracing";
import type { Signal } from "../timing/signal";
import type { OutgoingMessage } from "./message";
import type { Publisher } from "./publisher";

/** Maximum number of unconfirmed messages. Keeps the broker busy, and bounds memory use while it blocks publishers. */
export const mostUnconfirmed = 1024;
/** Maximum total size of unconfirmed messages, in bytes. */
const mostUnconfirmedBytes = 16 * 1024 * 1024;

/** Confirms a position. Returns the new position up to which all are confirmed, if that moved. */
export type Confirm = () => number | undefined;

/** Sends events of the log without waiting for each confirm. Limits how many are unconfirmed, and tracks up to where all are confirmed. */
export class ConfirmWindow {
  readonly #prefix = new ConfirmedPrefix();
  #unconfirmed = 0;
  #bytes = 0;

  /** @param settled raised whenever the broker has replied to a message. */
  constructor(
    readonly publisher: Publisher,
    readonly tracing: Pick<Tracing, "send">,
    readonly settled: Signal,
  ) {}

  get isEmpty(): boolean {
    return this.#unconfirmed === 0;
  }

  /** Returns whether another message may be sent now. */
  hasRoom(most = mostUnconfirmed): boolean {
    return this.#unconfirmed < most && this.#bytes < mostUnconfirmedBytes;
  }

  /** Adds the next position of the log, to confirm when the broker has its event, or when the event is kept elsewhere or not sent. */
  expect(position: number): Confirm {
    return this.#prefix.send(position);
  }

  /** Sends a message. Calls `onReply` without an error once the broker has confirmed it. */
  send(message: OutgoingMessage, onReply: (error?: Error) => void): void {
    const span = this.tracing.send(message);
    const bytes = message.content.length;
    this.#unconfirmed += 1;
    this.#bytes += bytes;
    this.publisher.send(message, (error) => {
      span.end(error && spanTroubleOf(error));
      onReply(error);
      this.#unconfirmed -= 1;
      this.#bytes -= bytes;
      this.settled.raise();
    });
  }
}
