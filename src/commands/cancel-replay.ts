import { type Replay, Replays, toReplay } from "../delivery/replays";
import { EmbeddedReplays } from "../embedded/replays";
import { counted } from "../observe/amounts";
import { printable } from "../observe/terminal";
import { Trouble } from "./command";
import { tellApi } from "./tell-api";
import { existingLog, type Reached } from "./transport";

/**
 * Ends a replay early. Resolves with the exit code.
 *
 * @throws {Trouble} if there is no replay with this ID, it has ended, or it fills a new queue.
 */
export async function cancelReplay(reached: Reached, id: string): Promise<number> {
  const { broker, config, consumers } = reached;
  const log = await existingLog(config);
  try {
    const embedded = broker ? undefined : new Replays(new EmbeddedReplays(log, consumers));
    const find = async (): Promise<Replay | undefined> => {
      const row = await log.replay(id);
      return embedded ? embedded.get(id) : row && toReplay({ row });
    };
    const replay = await find();
    if (!replay) throw new Trouble(`There is no replay "${printable(id)}". GET /replays lists them.`);
    if (replay.finishedAt !== null) throw new Trouble(`Replay ${id} has already ended (${replay.state}).`);
    if (replay.kind === "fill")
      throw new Trouble(
        `"${replay.queue}" is a new queue that is being filled; this cannot be cancelled. Remove the queue instead: bun run queues remove ${replay.queue}`,
      );
    const isDone = broker ? await tellApi(reached, broker, { cancel: id }, async () => (await log.replay(id))?.finishedAt != null) : true;
    if (embedded) await embedded.cancel(id);
    const ended = await find();
    console.log(
      isDone && ended
        ? `Cancelled replay ${id}; ${counted(ended.sent, "event")} had been sent to "${ended.queue}".`
        : `The API is not running. It will cancel replay ${id} when it starts.`,
    );
    return 0;
  } finally {
    log.close();
  }
}
