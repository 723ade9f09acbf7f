import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A small disk that can be filled completely. */
export interface Disk {
  readonly path: string;
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

/** Mounts a disk in memory. Requires root. */
export async function mountDisk(path: string, megabytes: number): Promise<Disk> {
  mkdirSync(path);
  await command("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "chaos", path);
  const ballast = join(path, "ballast");
  return {
    path,
    fill() {
      const file = openSync(ballast, "w");
      try {
        for (let size = 1024 ** 2; size >= 512; size = Math.floor(size / 2)) {
          const piece = Buffer.alloc(size);
          while (written(file, piece) === piece.length);
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    // Unmount lazily: a database that was read may stay open until its statements are collected.
    remove: () => command("umount", "--lazy", path),
  };
}

/** Returns how much of a piece was written to the disk. */
function written(file: number, piece: Buffer): number {
  try {
    return writeSync(file, piece);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return 0;
    throw error;
  }
}

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "ignore", stderr: "pipe" });
  const [text, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${text}`);
}
