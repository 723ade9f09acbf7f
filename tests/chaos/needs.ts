import { existsSync } from "node:fs";

/** Requirements of faults besides Bun, and the message if one is missing. */
export const needs = {
  rabbitmq: {
    met: () => existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server"),
    missing: "rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server",
  },
  root: { met: () => process.getuid?.() === 0, missing: "only root can mount a small disk" },
  strace: { met: () => Bun.which("strace") !== null, missing: "strace is not installed; on Debian: apt-get install strace" },
  libfaketime: {
    met: () => faketimeLibrary() !== undefined,
    missing: "libfaketime is not installed; on Debian: apt-get install libfaketime",
  },
} as const;

export type Need = keyof typeof needs;

/** Returns the path of the library that moves a program's clock; undefined if it is not installed. */
export function faketimeLibrary(): string | undefined {
  const [found] = [...new Bun.Glob("*/faketime/libfaketime.so.1").scanSync({ cwd: "/usr/lib", absolute: true })];
  return found;
}
