import { join } from "node:path";
import { noConsumerNote } from "../delivery/replays";
import { counted } from "../observe/amounts";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import type { Broker } from "../rabbitmq/connection";
import { Unroutable } from "../rabbitmq/publisher";
import type { QueueInspector } from "../rabbitmq/queue-inspection";
import { QueueSender, type SentSoFar } from "../rabbitmq/queue-sender";
import { queueState } from "../rabbitmq/topology";
import { interrupted, onInterrupt, quoted, Trouble } from "./command";
import { ProgressReport } from "./progress";
import type { Replaying } from "./replaying";
import { took } from "./text";

/** Longer than a working broker needs to confirm messages in transit. */
const confirmsTimeoutMs = 3000;
const lookAtBrokerEveryMs = 200;

/**
 * Sends the events to the queue. After a lost connection, continues after the last confirmed event. Resolves with the exit code.
 *
 * @param inspector inspects queues on this broker.
 * @param folder Folder for events that RabbitMQ accepts in no queue.
 */
export async function replayOnRabbitmq(broker: Broker, inspector: QueueInspector, replaying: Replaying, folder: string): Promise<number> {
  const { queue, selection, log, after, last, words } = replaying;
  if ((await queueState(broker, queue))?.consumerCount === 0) tell(noConsumerNote(queue, "the events wait in the queue until one starts"));
  const progress = new ProgressReport("event");
  const stopping = new AbortController();
  const finished = new AbortController();
  const beganAt = performance.now();
  let failure: Error | undefined;
  const onProgress = ({ position, sent }: SentSoFar) => progress.update(last > after ? (position - after) / (last - after) : 1, sent);
  const sender = new QueueSender(
    {
      ...{ log, queue, selection, marked: true, quarantine: folder, onProgress },
      hasLimit: (name) => inspector.hasLimit(name),
      onRefused: ({ id, bytes, file, why }) => progress.note(`Event ${id} (${bytes} bytes) was not sent; it is kept in ${file}. ${why}`),
    },
    { position: after, sent: 0, refused: 0 },
  );
  onProgress(sender.soFar);
  onInterrupt(() => {
    stopping.abort();
    // A broker that is unavailable or blocks publishers has nothing to confirm.
    setTimeout(() => void broker.close(), broker.state === "connected" ? confirmsTimeoutMs : 0);
  });
  const watching = tellTrouble(broker, progress);
  await broker.keepChannel(
    async (channel, closed) => {
      try {
        await sender.sendUpTo(last, channel, closed, stopping.signal);
        if (!closed.aborted) finished.abort();
      } catch (error) {
        if (!(error instanceof Unroutable)) {
          progress.note(`${messageOf(error)}; continuing after the last confirmed event.`);
          throw error;
        }
        failure = new Trouble(`The queue "${queue}" was deleted after ${counted(sender.soFar.sent, "event")}.`);
        finished.abort();
      }
    },
    AbortSignal.any([finished.signal, stopping.signal]),
  );
  clearInterval(watching);
  progress.end();
  if (failure) throw failure;
  const { position, sent, refused } = sender.soFar;
  if (refused > 0) console.log(`RabbitMQ refused ${counted(refused, "event")}; see ${join(folder, queue)}.`);
  if (!stopping.signal.aborted) {
    console.log(`${counted(sent, "event")} sent to "${queue}" in ${took(performance.now() - beganAt)}.`);
    return refused > 0 ? 1 : 0;
  }
  console.log(`Stopped after ${counted(sent, "event")} to "${queue}", at position ${position} of ${last}. To continue:`);
  console.log(`  ${quoted([...words, "--after", String(position), "--last", String(last)])}`);
  return interrupted;
}

/** Reports when RabbitMQ becomes unavailable and when it returns, since a bar that stands still explains nothing. */
function tellTrouble(broker: Broker, progress: ProgressReport): Timer {
  let told = broker.state;
  return setInterval(() => {
    if (broker.state === told) return;
    told = broker.state;
    if (told === "connecting") progress.note(`Lost the connection to RabbitMQ (${broker.lastError}); waiting for it to return.`);
    if (told === "blocked") progress.note("RabbitMQ does not accept messages now (a memory or disk alarm); waiting until it does.");
    if (told === "connected") progress.note("RabbitMQ is available again.");
  }, lookAtBrokerEveryMs);
}
