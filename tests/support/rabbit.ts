import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./net";

const bin = "/usr/lib/rabbitmq/bin";

export const rabbitInstalled = existsSync(`${bin}/rabbitmq-server`);
export const rabbitMissing = "rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)";

export interface Rabbit {
  readonly url: string;
  readonly port: number;
  /** kill -9, as a power cut would. */
  kill(): Promise<void>;
  /** Starts the node again on the same data; also after `kill`. */
  start(): Promise<void>;
  /** Stops the node politely, keeping its data. */
  stop(): Promise<void>;
  ctl(...args: string[]): Promise<string>;
  /** Ends the node and removes its data. */
  dispose(): Promise<void>;
}

/** A private RabbitMQ node with its own ports, Erlang port mapper and folder. */
export async function startRabbit(): Promise<Rabbit> {
  const folder = mkdtempSync(join(tmpdir(), "warren-rabbit-"));
  const [port, distPort, epmdPort] = [freePort(), freePort(), freePort()];
  writeFileSync(join(folder, "plugins"), "[].");
  const env = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: folder,
    RABBITMQ_NODENAME: `w${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_PID_FILE: join(folder, "pid"),
  };
  let server: Bun.Subprocess | undefined;

  async function ctl(...args: string[]): Promise<string> {
    const run = Bun.spawn([`${bin}/rabbitmqctl`, ...args], { env, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    if (code !== 0) throw new Error(`rabbitmqctl ${args.join(" ")}: ${err || out}`);
    return out;
  }
  async function start(): Promise<void> {
    server = Bun.spawn([`${bin}/rabbitmq-server`], { env, stdout: "ignore", stderr: "ignore" });
    await ctl("wait", join(folder, "pid"), "--timeout", "60");
  }
  async function kill(): Promise<void> {
    const pid = (await Bun.file(join(folder, "pid")).text()).trim();
    process.kill(Number(pid), "SIGKILL");
    await server?.exited;
  }
  async function stop(): Promise<void> {
    await ctl("stop", join(folder, "pid"));
    await server?.exited;
  }
  async function dispose(): Promise<void> {
    if (server?.exitCode === null && server.signalCode === null) await kill();
    // Erlang's port mapper outlives the node.
    await Bun.spawn(["epmd", "-port", String(epmdPort), "-kill"], { stdout: "ignore", stderr: "ignore" }).exited;
    rmSync(folder, { recursive: true, force: true });
  }

  await start();
  return { url: `amqp://guest:guest@127.0.0.1:${port}/`, port, kill, start, stop, ctl, dispose };
}
