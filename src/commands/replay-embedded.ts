import { type Replay, Replays, toReplay } from "../delivery/replays";
import { withStore } from "../embedded/queue-store";
import { EmbeddedReplays } from "../embedded/replays";
import { counted } from "../observe/amounts";
import type { ConsumerStores } from "../store/consumer/stores";
import { interrupted, onInterrupt, Trouble } from "./command";
import { ProgressReport } from "./progress";
import type { Replaying } from "./replaying";
import { took } from "./text";

const lookEveryMs = 200;
/** Time without progress after which to check whether a consumer runs. */
const patienceMs = 1500;

/** Hands the replay to the queue's consumer, and follows it. Resolves with the exit code. */
export async function replayEmbedded(consumers: ConsumerStores, { queue, selection, log, after, last }: Replaying): Promise<number> {
  const { id } = await new Replays(new EmbeddedReplays(log, consumers)).start(queue, selection, { after, last });
  const place = consumers.shownOf(queue);
  const stopping = Promise.withResolvers<"stopped">();
  onInterrupt(() => stopping.resolve("stopped"));

  const progress = new ProgressReport("event");
  const beganAt = performance.now();
  let [movedAt, position] = [beganAt, -1];
  let told = false;
  for (;;) {
    const row = await withStore(consumers, queue, ({ replays }) => replays.get(id));
    if (!row) throw new Trouble(`The replay is no longer in ${place}.`);
    const replay: Replay = toReplay({ row });
    if (replay.state !== "running") {
      progress.end();
      if (replay.error !== null) throw new Trouble(replay.error);
      console.log(`${counted(replay.sent, "event")} handed to the consumer of "${queue}" in ${took(performance.now() - beganAt)}.`);
      return 0;
    }
    if (row.position !== position) [movedAt, position] = [performance.now(), row.position];
    progress.update(replay.progress, replay.sent);
    if (!told && performance.now() - movedAt > patienceMs && (await consumers.consuming(queue)) === 0) {
      told = true;
      progress.note(`No consumer of "${queue}" is running. The replay waits in ${place} until one starts; Ctrl+C leaves it there.`);
    }
    if ((await Promise.race([stopping.promise, Bun.sleep(lookEveryMs)])) !== "stopped") continue;
    progress.end();
    const { sent } = replay;
    console.log(
      `Stopped watching after ${counted(sent, "event")}. Replay ${id} continues without this command while a consumer of "${queue}" runs.`,
    );
    return interrupted;
  }
}
