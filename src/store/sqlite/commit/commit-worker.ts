// Worker thread that commits when the disk is slow. commit-thread.ts starts it and exchanges messages with it.

import { openForWriting } from "../connection/connection";
import { BatchWriter } from "./batch-writer";
import type { FromThread, ToThread } from "./commit-thread";
import { parseWrites } from "./writes-text";

declare const self: Worker;

let writer: BatchWriter;
let waiting: string[] = [];
/** True if a batch has failed. Later batches depend on its changes, so they are dropped until the main thread sends `goOn`. */
let hasFailed = false;

const tell = (message: FromThread) => self.postMessage(message);

function commit(): void {
  const batches = waiting;
  waiting = [];
  attempt(() => {
    const seconds = writer.commit(batches.map(parseWrites));
    return { what: "committed", batches: batches.length, seconds, lastEvent: writer.lastEvent };
  });
}

function attempt(work: () => FromThread): void {
  try {
    tell(work());
  } catch (error) {
    hasFailed = true;
    const { message, code } = error as Error & { readonly code?: string };
    tell({ what: "failed", message, code });
  }
}

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
  if (typeof data === "string") {
    // Batches that arrive before the commit share its transaction and its flush to disk.
    if (!hasFailed && waiting.push(data) === 1) setImmediate(commit);
    return;
  }
  switch (data.what) {
    case "open":
      return attempt(() => {
        writer = new BatchWriter(openForWriting(data.file, data.patienceMs), data.sql);
        return { what: "opened" };
      });
    case "goOn":
      hasFailed = false;
      return;
    case "close":
      writer.db.close();
      return tell({ what: "closed" });
  }
};
