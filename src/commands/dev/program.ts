import { join } from "node:path";
import { projectFolder } from "../../project/folder";
import { atMost } from "../../timing/pause";
import { Lines } from "./lines";

/** Time for the last output of a program to arrive after its end, in milliseconds. A program that it started may keep the output open. */
const lastOutputMs = 500;

/** How a program has ended. */
export interface End {
  /** 1 if a signal has ended it. */
  readonly code: number;
  /** Name of the signal that has ended it, or null. */
  readonly signal: string | null;
}

/** A program of the project that runs in a process of its own. */
export interface Program {
  /** Resolves when it has ended and its output was passed on. */
  readonly ended: Promise<End>;
  kill(signal: NodeJS.Signals): void;
}

/** Takes a line that a program wrote, without its end. */
export type OnLine = (line: string, stream: "stdout" | "stderr") => void;

/**
 * Starts a file with Bun. It ends together with this process, even if that is killed.
 *
 * @param file absolute path, or one relative to the project.
 * @param onLine takes its output. Default: it writes to the output of this process.
 */
export function startProgram(file: string, onLine?: OnLine): Program {
  const command = [process.execPath, "--preload", join(import.meta.dir, "guard.ts"), file];
  // A terminal sends Ctrl+C to its whole process group. In a group of its own, the program gets only the signals that this process sends.
  const options = { cwd: projectFolder, detached: true, ipc() {} } as const;
  if (!onLine) {
    const child = Bun.spawn(command, { ...options, stdio: ["ignore", "inherit", "inherit"] });
    return programOf(child, Promise.resolve());
  }
  return process.stdout.isTTY ? inTerminal(command, options, onLine) : withPipes(command, options, onLine);
}

type Options = { readonly cwd: string; readonly detached: boolean; ipc(): void };

/** A program that writes to a terminal colours its output, and formats its log for people. */
function inTerminal(command: string[], options: Options, onLine: OnLine): Program {
  const lines = new Lines((line) => onLine(line, "stdout"));
  const closed = Promise.withResolvers<void>();
  const child = Bun.spawn(command, {
    ...options,
    terminal: {
      cols: process.stdout.columns,
      rows: process.stdout.rows,
      data: (_, bytes) => lines.add(bytes),
      exit: () => closed.resolve(),
    },
  });
  const drained = closed.promise.then(() => lines.end());
  const resize = () => child.terminal?.resize(process.stdout.columns, process.stdout.rows);
  process.stdout.on("resize", resize);
  const program = programOf(child, drained);
  void program.ended.then(() => {
    process.stdout.off("resize", resize);
    child.terminal?.close();
  });
  return program;
}

function withPipes(command: string[], options: Options, onLine: OnLine): Program {
  const child = Bun.spawn(command, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const passOn = async (stream: "stdout" | "stderr") => {
    const lines = new Lines((line) => onLine(line, stream));
    for await (const bytes of child[stream]) lines.add(bytes);
    lines.end();
  };
  return programOf(child, Promise.all([passOn("stdout"), passOn("stderr")]));
}

function programOf(child: Bun.Subprocess, drained: Promise<unknown>): Program {
  const ended = (async (): Promise<End> => {
    const code = await child.exited;
    await atMost(lastOutputMs, drained);
    const { signalCode } = child;
    return { code: signalCode === null ? code : 1, signal: signalCode === null ? null : String(signalCode) };
  })();
  return { ended, kill: (signal) => child.kill(signal) };
}
