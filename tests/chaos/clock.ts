import { renameSync, writeFileSync } from "node:fs";
import { faketimeLibrary } from "./needs";

/** A clock that programs take for the system's, and that can be put forward and back while they run. */
export class Clock {
  readonly environment: Record<string, string>;

  constructor(readonly file: string) {
    this.set(0);
    this.environment = {
      LD_PRELOAD: faketimeLibrary() ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // Timers run on a clock that nobody can put back.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** How many seconds it is ahead of the real one. */
  set(seconds: number): void {
    // At once, so that no program reads half of it.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? "" : "+"}${seconds}`);
    renameSync(`${this.file}.new`, this.file);
  }
}
