import { ConfirmedPrefix } from "../delivery/confirmed-prefix";
import { spanTroubleOf } from "../delivery/outcome";
import { type ReplaySelection, selects } from "../delivery/replay-selection";
import { noTracing, type Tracing } from "../observe/tracing";
import type { LogEntry, LogReader } from "../store/log";
import { Signal } from "../timing/signal";
import { TokenBucket } from "../timing/token-bucket";
import type { Culprit } from "./culprit";
import { type OutgoingMessage, toMessage } from "./message";
import { type PublishChannel, Publisher, Unsendable } from "./publisher";
import { contentRefusal } from "./reply-code";

const window = 1024;
const windowBytes = 16 * 1024 * 1024;
const batch = 256;

export interface PastOptions {
  readonly log: LogReader;
  readonly channel: PublishChannel;
  readonly queue: string;
  readonly selection: ReplaySelection;
  /** Sends events after this position. */
  readonly after: number;
  /** Sends events up to and including this position. */
  readonly last: number;
  /** True to mark the messages as a replay. */
  readonly marked: boolean;
  /** Called with the confirmed position and the number of events sent and confirmed so far. */
  readonly onProgress: (position: number, sent: number) => void;
  /** Finds the event over which RabbitMQ closes the channel. Shared by the channels of one run. */
  readonly culprit: Culprit;
  /** Puts away an event that the queue cannot get. What is behind it is sent all the same. */
  readonly putAway: (message: OutgoingMessage, why: string) => void;
  /** Aborts when the channel closes, with the error that closed it as the reason. */
  readonly closed: AbortSignal;
  readonly tracing?: Pick<Tracing, "send">;
  /** Ends the run early: nothing more is sent, and sent events are confirmed first. */
  readonly stop?: AbortSignal;
}

/** An event on its way to the queue. */
interface Sent {
  readonly position: number;
  readonly message: OutgoingMessage;
  readonly confirm: () => number | undefined;
}

/**
 * Sends past events from the log to one queue, in order and in bounded memory. Resolves with the position up to which everything is
 * confirmed or put away.
 *
 * @throws {Unroutable} if the queue does not exist.
 */
export async function sendPast(options: PastOptions): Promise<number> {
  const { log, selection, last, onProgress, culprit, putAway, closed, stop, tracing = noTracing } = options;
  const publisher = new Publisher(options.channel);
  const prefix = new ConfirmedPrefix();
  const bucket = selection.rate === null ? undefined : new TokenBucket(selection.rate, performance.now());
  const wake = new Signal();
  for (const signal of [closed, stop]) signal?.addEventListener("abort", () => wake.raise(), { once: true });
  let taken = options.after;
  let position = options.after;
  let confirmed = 0;
  let inFlight = 0;
  let bytesInFlight = 0;
  let failure: unknown;
  const unconfirmed = new Map<number, Sent>();

  const advance = (to: number | undefined) => {
    position = to ?? position;
    onProgress(position, confirmed);
  };
  const refuse = ({ position, message, confirm }: Sent, why: string) => {
    try {
      putAway(message, why);
      unconfirmed.delete(position);
      advance(confirm());
    } catch (error) {
      // Says more than that the channel was closed.
      failure = error;
    }
  };
  const send = (entry: LogEntry) => {
    const message = pastMessage(entry, options);
    const span = tracing.send(message);
    const sent = { position: entry.position, message, confirm: prefix.send(entry.position) };
    unconfirmed.set(sent.position, sent);
    const bytes = message.content.length;
    inFlight += 1;
    bytesInFlight += bytes;
    publisher
      .publishFirst([message])
      .then(
        () => {
          span.end();
          unconfirmed.delete(sent.position);
          confirmed += 1;
          advance(sent.confirm());
        },
        (error: unknown) => {
          span.end(spanTroubleOf(error));
          if (error instanceof Unsendable) refuse(sent, error.message);
          else failure ??= error;
        },
      )
      .then(() => {
        inFlight -= 1;
        bytesInFlight -= bytes;
        wake.raise();
      });
  };
  const ended = () => closed.aborted || stop?.aborted || failure !== undefined;

  while (!ended() && taken < last) {
    const entries = (await log.read(taken, batch)).filter((entry) => entry.position <= last);
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (ended()) break;
      taken = entry.position;
      if (!selects(selection, entry)) {
        advance(prefix.send(entry.position)());
        continue;
      }
      for (let waitMs = bucket?.take(performance.now()) ?? 0; waitMs > 0 && !ended(); waitMs = bucket?.take(performance.now()) ?? 0) {
        await wake.wait(waitMs);
      }
      const mostInFlight = culprit.isSuspect(entry.position) ? 1 : window;
      while ((inFlight >= mostInFlight || bytesInFlight >= windowBytes) && !ended()) await wake.wait();
      if (publisher.drained) await publisher.drained;
      if (!ended()) send(entry);
    }
    await new Promise(setImmediate);
  }
  while (inFlight > 0 && !closed.aborted) await wake.wait();
  const why = contentRefusal(closed);
  const guilty = why === undefined ? undefined : culprit.blame([...unconfirmed.values()]);
  if (guilty) refuse(guilty, `RabbitMQ closed the channel twice over this event: ${why}`);
  if (failure !== undefined) throw failure;
  return closed.aborted || stop?.aborted ? position : Math.max(position, last);
}

function pastMessage(entry: LogEntry, { queue, marked, selection }: Pick<PastOptions, "queue" | "marked" | "selection">): OutgoingMessage {
  const message = toMessage(entry, "");
  const marks = marked && { "x-replay": true, ...(selection.force && { "x-replay-forced": true }) };
  return { ...message, routingKey: queue, options: { ...message.options, headers: { ...message.options.headers, ...marks } } };
}
