import { tmpdir } from "node:os";
import { endWithTest, eventually, root, run } from "./processes";

export type CommandName =
  | "contracts"
  | "new"
  | "queues"
  | "dead-letters"
  | "doctor"
  | "erase"
  | "events"
  | "export"
  | "import"
  | "migrate-to-postgres"
  | "replay"
  | "schedules"
  | "status"
  | "timers";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the project's commands until it exits, with its output in pipes. */
export async function command(
  name: CommandName,
  words: readonly string[],
  env: Record<string, string>,
  cwd?: string,
  input?: string,
): Promise<Ended> {
  const running = run([`src/commands/${name}.ts`, ...words], { env, ...(cwd && { cwd }), ...(input !== undefined && { input }) });
  const code = await running.exited;
  return { code, stdout: running.stdout.join("\n"), stderr: running.stderr.join("\n") };
}

export interface OnTerminal {
  /** Returns the terminal's output so far, including escape sequences. */
  text(): string;
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends keys to the terminal. `\x03` is Ctrl+C. */
  type(keys: string): void;
  /** Resolves with the exit code once the terminal has all that the command has written. */
  readonly exited: Promise<number>;
}

/** Runs one of the project's commands on a separate terminal. */
export function onTerminal(name: CommandName, words: readonly string[], env: Record<string, string>, columns = 100): OnTerminal {
  const decoder = new TextDecoder();
  let text = "";
  const isWhole = Promise.withResolvers<void>();
  const child = Bun.spawn([process.execPath, `src/commands/${name}.ts`, ...words], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), TZ: "UTC", TERM: "xterm-256color", ...env },
    terminal: {
      cols: columns,
      rows: 24,
      data(_, bytes) {
        text += decoder.decode(bytes, { stream: true });
      },
      exit: () => isWhole.resolve(),
    },
  });
  endWithTest(child);
  return {
    text: () => text,
    until: (pattern) => eventually(() => pattern.exec(text) ?? undefined, `${pattern} on the terminal`),
    type: (keys) => void child.terminal?.write(keys),
    exited: isWhole.promise.then(() => child.exited),
  };
}
