import { renameSync, writeFileSync } from "node:fs";
import { faketimeLibrary } from "./needs";

/** A clock that programs use as the system's clock, and that can be moved while they run. */
export class Clock {
  readonly environment: Record<string, string>;

  constructor(readonly file: string) {
    this.set(0);
    this.environment = {
      LD_PRELOAD: faketimeLibrary() ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // Timers use the monotonic clock, which cannot be moved.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets the clock's offset from the real one, in seconds. */
  set(seconds: number): void {
    // Rename, so that no program reads a partial file.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? "" : "+"}${seconds}`);
    renameSync(`${this.file}.new`, this.file);
  }
}
