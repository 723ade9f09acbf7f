import { write, writeSync } from "node:fs";

/** Maximum length of the lines that wait to be written, in UTF-16 code units. */
const mostWaiting = 1024 * 1024;
/** Pause before retrying a write to a full pipe. */
const tryAgainMs = 50;
/** When the process exits, a write in progress gets this long to finish. */
const exitGraceMs = 20;
/** A write that already takes this long is considered stuck; the exit does not wait for it. */
const stuckMs = 200;

type Write = (fd: number, bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void) => void;

/**
 * Writes lines to a file descriptor without ever blocking or throwing. A full disk, or a reader that is gone or stopped reading, only loses
 * lines. A write that blocks does so on another thread.
 */
export class LogStream {
  #waiting: string[] = [];
  #waitingLength = 0;
  #isWriting = false;
  #writingSince = 0;
  #lost = 0;
  #isWatched = false;

  /** @param onLost Called with the number of lost lines once writing works again. */
  constructor(
    readonly fd: number,
    readonly onLost: (lines: number) => void,
    readonly writeTo: Write = write,
  ) {}

  write(line: string): void {
    if (this.#waitingLength + line.length > mostWaiting) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (!this.#isWatched) process.on("exit", () => this.#finish());
    this.#isWatched = true;
    if (!this.#isWriting) this.#writeWaiting();
  }

  #writeWaiting(): void {
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#isWriting = true;
    this.#writingSince = performance.now();
    this.#writeAll(Buffer.from(lines.join("")), lines.length);
  }

  #writeAll(bytes: Buffer, lines: number): void {
    this.writeTo(this.fd, bytes, (error, written) => {
      const rest = error ? bytes : bytes.subarray(written);
      if (error?.code === "EAGAIN") setTimeout(() => this.#writeAll(rest, lines), tryAgainMs);
      else if (!error && rest.length > 0) this.#writeAll(rest, lines);
      else this.#done(error ? lines : 0);
    });
  }

  #finish(): void {
    if (this.#isWriting) {
      if (performance.now() - this.#writingSince > stuckMs) return;
      Bun.sleepSync(exitGraceMs);
    }
    try {
      if (this.#waiting.length > 0) writeSync(this.fd, this.#waiting.join(""));
    } catch {
      // Nowhere is left to report the error.
    }
  }

  #done(lost: number): void {
    this.#isWriting = false;
    this.#lost += lost;
    if (lost === 0 && this.#lost > 0) {
      const lines = this.#lost;
      this.#lost = 0;
      this.onLost(lines);
    }
    this.#writeWaiting();
  }
}
