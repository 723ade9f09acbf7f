import type { CommitReport, Committer } from "./committer";
import { serializeWrites } from "./writes-text";

export type ToThread =
  | { readonly what: "open"; readonly file: string; readonly sql: readonly string[]; readonly patienceMs: number }
  /** The main thread knows of a failed batch, so later batches do not depend on it. */
  | { readonly what: "goOn" }
  | { readonly what: "close" }
  /** Writes to commit, encoded by {@link serializeWrites}. */
  | string;

export type FromThread =
  | { readonly what: "opened" | "closed" }
  | { readonly what: "committed"; readonly batches: number; readonly seconds: number; readonly lastEvent: number | undefined }
  | { readonly what: "failed"; readonly message: string; readonly code: string | undefined };

/** The commit thread ended without reporting whether its last batches were committed. It commits nothing more. */
export class CommitThreadLost extends Error {
  override readonly name = "CommitThreadLost";
}

/**
 * Starts a thread that commits, so that neither SQLite nor the flush to disk blocks the caller's thread.
 *
 * @param sql the statements; a write names its statement by index.
 * @param patienceMs how long to wait for another process's lock.
 * @param report receives the outcomes. If the thread ends unexpectedly, `failed` receives a {@link CommitThreadLost} and the thread
 *   cannot be used again.
 * @throws {Error} if the thread does not start or cannot open the file.
 */
export async function startCommitThread(
  file: string,
  sql: readonly string[],
  patienceMs: number,
  report: CommitReport,
): Promise<Committer> {
  const worker = new Worker(new URL("./commit-worker.ts", import.meta.url).href);
  const tell = (message: ToThread) => worker.postMessage(message);
  const { promise: opened, resolve: isOpen, reject: isNotOpen } = Promise.withResolvers<void>();
  const { promise: closed, resolve: isClosed } = Promise.withResolvers<void>();
  let state: "opening" | "open" | "ended" = "opening";

  const fail = (error: Error) => {
    if (state === "opening") return isNotOpen(error);
    tell({ what: "goOn" });
    report.failed(error);
  };
  worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
    if (state === "ended") return;
    switch (data.what) {
      case "opened":
        state = "open";
        return isOpen();
      case "closed":
        return isClosed();
      case "committed":
        return report.committed(data.batches, data.seconds, data.lastEvent);
      case "failed":
        return fail(Object.assign(new Error(data.message), { code: data.code }));
    }
  };
  const end = () => {
    state = "ended";
    worker.terminate();
  };
  const lose = (why: string) => {
    if (state === "ended") return;
    fail(new CommitThreadLost(`The commit thread ended: ${why}`));
    end();
    isClosed();
  };
  let trouble = "it stopped unexpectedly";
  worker.onerror = ({ message }) => {
    trouble = message;
    // It may still be committing. After it ends, the log shows what was committed.
    worker.terminate();
  };
  worker.addEventListener("close", () => lose(trouble));

  tell({ what: "open", file, sql, patienceMs });
  try {
    await opened;
  } catch (error) {
    end();
    throw error;
  }
  return {
    commit: (writes) => tell(serializeWrites(writes)),
    async close() {
      if (state === "ended") return;
      tell({ what: "close" });
      await closed;
      end();
    },
  };
}
