import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dir, "../..");

/** A program under test, whose output can be waited for. */
export interface Running {
  readonly pid: number;
  /** Lines of standard output so far. */
  readonly stdout: readonly string[];
  /** Lines of standard error so far. */
  readonly stderr: readonly string[];
  /** The first line, of those so far or to come, that matches; fails when the program ends before, or after 20 s. */
  line(pattern: RegExp | string, stream?: "stdout" | "stderr"): Promise<string>;
  /** Fulfils when a stream has this many lines that match. */
  lines(pattern: RegExp, count: number, timeoutMs?: number): Promise<readonly string[]>;
  /** Sends a signal and answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
  readonly exited: Promise<number>;
}

export interface RunOptions {
  /** The project to run in. Default: this one. */
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Default: Bun. */
  readonly program?: string;
  /** A file descriptor to write to instead; the stream then has no lines. */
  readonly stdout?: number;
  readonly stderr?: number;
}

/** Starts `bun <args>`, or another program, with an environment that nothing on this machine leaks into. */
export function run(args: readonly string[], { cwd = root, env = {}, program = process.execPath, ...to }: RunOptions = {}): Running {
  // A developer's own .env stays out of the tests.
  const command = program === process.execPath ? [program, "--no-env-file", ...args] : [program, ...args];
  const child = Bun.spawn(command, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), TZ: "UTC", LOG_FORMAT: "json", ...env },
    stdin: "ignore",
    stdout: to.stdout ?? "pipe",
    stderr: to.stderr ?? "pipe",
  });
  running.add(child);
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
    running.delete(child);
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
        20_000,
      );
    },
    lines: (pattern, count, timeoutMs = 30_000) =>
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

/** Ends whatever a failed test left running. Call it in `afterEach`. */
export async function endAll(): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all([...running].map((child) => child.exited));
}

/** Without RABBITMQ_URL it is `none`: a RabbitMQ that happens to run on this machine stays out of the test. */
export function environment(folder: string, rabbitmqUrl = "none"): Record<string, string> {
  return { DATABASE_URL: `sqlite:${join(folder, "data", "warren.db")}`, PORT: "0", RABBITMQ_URL: rabbitmqUrl };
}

export interface Api extends Running {
  readonly url: string;
}

/** The arguments by which Bun loads a file of the project, if there is one, before the program. */
export function preloading(file: string | undefined): string[] {
  return file ? ["--preload", join(root, file)] : [];
}

/**
 * Starts the API, from its source or as another program, and answers when it listens.
 *
 * @param preload a file of the project that is loaded before its source.
 */
export async function startApi(options: RunOptions, preload?: string): Promise<Api> {
  const api = run(options.program ? [] : [...preloading(preload), "src/main.ts"], options);
  const line = await api.line("Warren listens on");
  const url = /listens on (http:\/\/[^ ]+)/.exec(line)?.[1];
  if (!url) throw new Error(`No address in: ${line}`);
  return { ...api, url };
}

/** Starts the logger and answers when it receives events. */
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

/** Asks until the answer is there; for what has no signal to wait for, such as another process's health. */
export async function eventually<T>(ask: () => Promise<T | undefined> | T | undefined, what: string, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
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

/** The names of the threads of a process; on Linux. */
export function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim());
}
