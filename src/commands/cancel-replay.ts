import { type Replay, toReplay } from "../delivery/replays";
import { EmbeddedReplays } from "../embedded/replays";
import { printable } from "../observe/terminal";
import { Trouble } from "./command";
import { tellApi } from "./tell-api";
import { counted } from "./text";
import { existingLog, type Reached } from "./transport";

/**
 * Ends a replay early. Resolves with the exit code.
 *
 * @throws {Trouble} if there is no replay with this ID, it has ended, or it fills a new queue.
 */
export async function cancelReplay(reached: Reached, id: string): Promise<number> {
  const { broker, config, folder } = reached;
  const log = await existingLog(config);
  try {
    const embedded = broker ? undefined : new EmbeddedReplays(log, folder);
    const find = async (): Promise<Replay | undefined> => {
      const row = await log.replay(id);
      return embedded ? embedded.get(id) : row && toReplay(row);
    };
    const replay = await find();
    if (!replay) throw new Trouble(`There is no replay "${printable(id)}". GET /replays lists them.`);
    if (replay.finishedAt !== null) throw new Trouble(`The replay ${id} is over (${replay.state}).`);
    if (replay.kind === "fill")
      throw new Trouble(`"${replay.queue}" is new, and is filled: remove it instead (bun run queues remove ${replay.queue}).`);
    const isDone = broker ? await tellApi(reached, broker, { cancel: id }, async () => (await log.replay(id))?.finishedAt != null) : true;
    if (embedded) await embedded.cancel(id);
    const ended = await find();
    console.log(
      isDone && ended
        ? `The replay ${id} was cancelled after ${counted(ended.sent, "event")} to "${ended.queue}".`
        : `The API does not run. It cancels the replay ${id} when it starts.`,
    );
    return 0;
  } finally {
    log.close();
  }
}
