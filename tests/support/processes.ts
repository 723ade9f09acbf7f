import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leftovers } from "./folder";

export const root = join(import.meta.dir, "../..");

/** A program under test, with output that a test can wait for. */
export interface Running {
  readonly pid: number;
  /** Lines of standard output so far. */
  readonly stdout: readonly string[];
  /** Lines of standard error so far. */
  readonly stderr: readonly string[];
  /** Resolves with the first matching line, past or future. Fails if the program ends first, or after 45 s. */
  line(pattern: RegExp | string, stream?: "stdout" | "stderr"): Promise<string>;
  /** Resolves when a stream has `count` matching lines. */
  lines(pattern: RegExp, count: number, timeoutMs?: number): Promise<readonly string[]>;
  /** Sends a signal. Resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
  readonly exited: Promise<number>;
}

export interface RunOptions {
  /** The project to run in. Default: this one. */
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** The program to run. Default: Bun. */
  readonly program?: string;
  /** Text of standard input. Default: none. */
  readonly input?: string;
  /** File descriptor to write to instead of a pipe. The stream then has no lines. */
  readonly stdout?: number;
  readonly stderr?: number;
}

/** Starts `bun <args>` or another program, with an environment isolated from this machine's. */
export function run(args: readonly string[], { cwd = root, env = {}, program = process.execPath, ...to }: RunOptions = {}): Running {
  // Keep a developer's own .env out of the tests.
  const command = program === process.execPath ? [program, "--no-env-file", ...args] : [program, ...args];
  const child = Bun.spawn(command, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), TZ: "UTC", LOG_FORMAT: "json", ...env },
    stdin: to.input === undefined ? "ignore" : new Blob([to.input]),
    stdout: to.stdout ?? "pipe",
    stderr: to.stderr ?? "pipe",
  });
  endWithTest(child);
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const stdout: string[] = [];
  const stderr: string[] = [];
  const drained = Promise.all([collect(child.stdout, stdout, wake), collect(child.stderr, stderr, wake)]);
  let ended = false;
  const exited = (async () => {
    const code = await child.exited;
    await drained;
    ended = true;
    wake();
    return code;
  })();

  async function until<T>(find: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const story = () => `\nstdout:\n${stdout.slice(-20).join("\n")}\nstderr:\n${stderr.slice(-20).join("\n")}`;
      if (ended) throw new Error(`The program ended before ${what}.${story()}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.${story()}`);
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  return {
    pid: child.pid,
    stdout,
    stderr,
    exited,
    line: (pattern, stream = "stdout") => {
      const lines = stream === "stdout" ? stdout : stderr;
      return until(
        () => lines.find((line) => (typeof pattern === "string" ? line.includes(pattern) : pattern.test(line))),
        `a line with ${pattern}`,
        45_000,
      );
    },
    lines: (pattern, count, timeoutMs = 45_000) =>
      until(
        () => {
          const found = stdout.filter((line) => pattern.test(line));
          return found.length >= count ? found : undefined;
        },
        `${count} lines with ${pattern} (there are ${stdout.filter((line) => pattern.test(line)).length})`,
        timeoutMs,
      ),
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return exited;
    },
  };
}

const running = new Set<Bun.Subprocess>();

/** Lets {@link endAll} end a program, or the end of this process. */
export function endWithTest(child: Bun.Subprocess): void {
  running.add(child);
  const withdraw = leftovers.runAtEnd(`kill -9 ${child.pid}`);
  void child.exited.then(() => {
    running.delete(child);
    withdraw();
  });
}

/** Kills programs that a failed test left running. Call it in `afterEach`. */
export async function endAll(): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all([...running].map((child) => child.exited));
}

/** Returns environment variables for a program. RABBITMQ_URL defaults to `none`, so that a RabbitMQ on this machine is not used. */
export function environment(folder: string, rabbitmqUrl = "none"): Record<string, string> {
  return { DATABASE_URL: `sqlite:${join(folder, "data", "warren.db")}`, PORT: "0", RABBITMQ_URL: rabbitmqUrl };
}

export interface Api extends Running {
  readonly url: string;
}

/** Returns the arguments with which Bun preloads a file of the project, if one is given. */
export function preloading(file: string | undefined): string[] {
  return file ? ["--preload", join(root, file)] : [];
}

/**
 * Starts the API, from its source or as another program. Resolves when it listens.
 *
 * @param preload File of the project to load before the API's source.
 */
export async function startApi(options: RunOptions, preload?: string): Promise<Api> {
  const api = run(options.program ? [] : [...preloading(preload), "src/main.ts"], options);
  const line = await api.line("Warren listens on");
  const url = /listens on (http:\/\/[^ ]+)/.exec(line)?.[1];
  if (!url) throw new Error(`No address in: ${line}`);
  return { ...api, url };
}

/** Starts the logger. Resolves when it receives events. */
export async function startLogger(args: readonly string[], options: RunOptions): Promise<Running> {
  const logger = run(["consumers/logger.ts", ...args], options);
  await logger.line("Waiting for events", args.includes("--json") ? "stderr" : "stdout");
  return logger;
}

export async function send(method: string, url: string, body?: unknown): Promise<Response> {
  return fetch(url, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
}

/**
 * Polls until there is a result: not undefined, and not false. For conditions without a signal to wait for, such as another process's
 * health.
 */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  what: string,
  timeoutMs = 45_000,
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, false>;
    await Bun.sleep(20);
  }
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
}

async function collect(stream: ReadableStream<Uint8Array> | number | undefined, lines: string[], wake: () => void): Promise<void> {
  if (typeof stream !== "object") return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  }
  if (rest) lines.push(rest);
}

/** Returns the names of a process's threads. Linux only. */
export function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim());
}
