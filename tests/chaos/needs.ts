import { existsSync } from "node:fs";

/** What a fault needs of the machine beside Bun, and what to do where it is not there. */
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

/** The library that moves a program's clock. */
export function faketimeLibrary(): string | undefined {
  const [found] = [...new Bun.Glob("*/faketime/libfaketime.so.1").scanSync({ cwd: "/usr/lib", absolute: true })];
  return found;
}
