import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ConsumerHistory } from "../../consumer/history";
import type { Share } from "../../consumer/lanes";
import type { ConsumerState } from "../../consumer/state";
import type { ConsumerStore } from "../../consumer/store";
import type { ConsumerStores } from "../../consumer/stores";
import type { ConsumerTables } from "../../consumer/tables";
import { acquireLock, isLocked, lockFileOf } from "../connection/lock";
import { whenUnlocked } from "../connection/lock-wait";
import { databaseFiles } from "../connection/private-file";
import { eraseEvents } from "./erasing";
import { openConsumerFile } from "./file";
import { FileShare } from "./file-share";
import { consumerHistory } from "./history";
import { openConsumerTables } from "./own-tables";
import { positionIn } from "./positions";
import { readReport, writeReport } from "./report-file";
import { consumerState, ownTablesOf } from "./state";

/** Keeps what each consumer keeps in a SQLite file of its own, beside which a lock shows that a process consumes the queue. */
export class ConsumerFiles implements ConsumerStores {
  readonly shown: string;
  readonly isShared = false;

  constructor(readonly folder: string) {
    this.shown = folder;
  }

  shownOf(queue: string): string {
    return this.#file(queue);
  }

  async queues(): Promise<string[]> {
    if (!existsSync(this.folder)) return [];
    return [...new Bun.Glob("*.db").scanSync(this.folder)].map((file) => file.slice(0, -".db".length)).sort();
  }

  async has(queue: string): Promise<boolean> {
    return existsSync(this.#file(queue));
  }

  async open(queue: string, options: { readonly durable: boolean }): Promise<ConsumerStore> {
    return openConsumerFile(this.#file(queue), options);
  }

  state(queue: string, logId: string): Promise<ConsumerState> {
    return whenUnlocked(() => consumerState(this.#file(queue), logId));
  }

  history(queue: string, logId: string, eventId: string): Promise<ConsumerHistory> {
    return whenUnlocked(() => consumerHistory(this.#file(queue), logId, eventId));
  }

  slowest(logId: string): Promise<number | null> {
    return whenUnlocked(async () => {
      const positions = (await this.queues()).map((queue) => positionIn(this.#file(queue), logId));
      const known = positions.filter((position) => position !== null);
      return known.length === 0 ? null : Math.min(...known);
    });
  }

  async changedAt(queue: string): Promise<Date> {
    return new Date(Math.max(...this.#filesOf(queue).map((file) => statSync(file).mtimeMs)));
  }

  async tables(queue: string): Promise<ConsumerTables | undefined> {
    return openConsumerTables(this.#file(queue));
  }

  async ownTables(queue: string): Promise<string[]> {
    return ownTablesOf(this.#file(queue));
  }

  erase(queue: string, isChosen: Parameters<ConsumerStores["erase"]>[1], { isDryRun } = { isDryRun: false }): Promise<number> {
    return whenUnlocked(() => eraseEvents(this.#file(queue), isChosen, isDryRun));
  }

  async join(queue: string, onChange: () => void): Promise<Share> {
    return new FileShare(this.#lockFile(queue), onChange);
  }

  async consuming(queue: string): Promise<number> {
    return isLocked(this.#lockFile(queue)) ? 1 : 0;
  }

  async report(queue: string, text: string): Promise<void> {
    writeReport(this.#reportFile(queue), text);
  }

  async reports(): Promise<string[]> {
    return (await this.queues()).flatMap((queue) => readReport(this.#reportFile(queue)) ?? []);
  }

  async remove(queue: string): Promise<boolean> {
    const lock = acquireLock(this.#lockFile(queue));
    if (!lock) return false;
    for (const file of this.#filesOf(queue)) rmSync(file);
    rmSync(this.#reportFile(queue), { force: true });
    lock.release();
    rmSync(this.#lockFile(queue), { force: true });
    return true;
  }

  async close(): Promise<void> {}

  #file(queue: string): string {
    return join(this.folder, `${queue}.db`);
  }

  #reportFile(queue: string): string {
    return join(this.folder, `${queue}.report`);
  }

  #lockFile(queue: string): string {
    return lockFileOf(this.#file(queue));
  }

  /** Returns the existing files of a queue: its database, and the files that SQLite keeps beside it. */
  #filesOf(queue: string): string[] {
    return databaseFiles(this.#file(queue)).filter((file) => existsSync(file));
  }
}
