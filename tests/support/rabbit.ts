import { afterAll, beforeAll, describe } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { temporaryFolder } from "./folder";
import { freePort } from "./net";

const bin = "/usr/lib/rabbitmq/bin";
/** Calls a function on a node without an Erlang machine of its own. Part of Debian's erlang-base, which RabbitMQ needs. */
const [erlCall = "erl_call"] = new Bun.Glob("usr/lib/erlang/lib/erl_interface-*/bin/erl_call").scanSync({ cwd: "/", absolute: true });

const installed = existsSync(`${bin}/rabbitmq-server`);
const maySkip = !process.env["NO_SKIP"];

/** Same as `describe`, for tests on a real RabbitMQ. Skips them, with the reason, if RabbitMQ is not installed. */
export function describeWithRabbit(name: string, tests: () => void): void {
  if (installed || !maySkip) describe(name, tests);
  else describe.skip(`${name} (skipped: rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server)`, tests);
}

export interface Rabbit {
  readonly url: string;
  readonly port: number;
  /** Kills the node with kill -9, like a power failure. */
  kill(): Promise<void>;
  /** Starts the node again on the same data, also after `kill`. */
  start(): Promise<void>;
  /** Stops the node cleanly and keeps its data. */
  stop(): Promise<void>;
  /** Suspends the node without closing its connections, like a cut cable. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  isUp(): boolean;
  ctl(...args: string[]): Promise<string>;
  /** Resolves with the names of all queues, within milliseconds: `ctl` starts an Erlang machine for each call. */
  queues(): Promise<string[]>;
  /** Stops the node and removes its data. */
  dispose(): Promise<void>;
}

export interface RabbitOptions {
  readonly port?: number;
  /** Where its management API listens. Default: it has none. */
  readonly managementPort?: number;
}

/** Starts a private RabbitMQ node with its own ports, Erlang port mapper and folder. */
export async function startRabbit({ port = freePort(), managementPort }: RabbitOptions = {}): Promise<Rabbit> {
  const folder = temporaryFolder().path;
  const [distPort, epmdPort] = [freePort(), freePort()];
  writeFileSync(join(folder, "plugins"), managementPort === undefined ? "[]." : "[rabbitmq_management].");
  writeFileSync(
    join(folder, "rabbitmq.conf"),
    managementPort === undefined ? "" : `management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${managementPort}\n`,
  );
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
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
  };
  let server: Bun.Subprocess | undefined;
  let disposed = false;

  async function ctl(...args: string[]): Promise<string> {
    const run = Bun.spawn([`${bin}/rabbitmqctl`, ...args], { env, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    if (code !== 0) throw new Error(`rabbitmqctl ${args.join(" ")}: ${err || out}`);
    return out;
  }
  async function queues(): Promise<string[]> {
    const cookie = readFileSync(join(folder, ".erlang.cookie"), "utf8").trim();
    const words = ["-sname", env.RABBITMQ_NODENAME, "-c", cookie, "-a", "rabbit_amqqueue list_names []"];
    const run = Bun.spawn([erlCall, ...words], { env, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    if (code !== 0) throw new Error(`The queues cannot be listed: ${err || out}`);
    // Each name comes as its bytes: `queue, #Bin<97,46,98>`.
    return [...out.matchAll(/queue, #Bin<([\d,]*)>/g)].map(([, bytes = ""]) => Buffer.from(bytes.split(",").map(Number)).toString());
  }
  async function start(): Promise<void> {
    if (disposed) throw new Error("This RabbitMQ has been disposed of.");
    server = Bun.spawn([`${bin}/rabbitmq-server`], { env, stdout: "ignore", stderr: "ignore" });
    await ctl("wait", join(folder, "pid"), "--timeout", "60");
  }
  async function signal(name: NodeJS.Signals): Promise<void> {
    process.kill(Number(await Bun.file(join(folder, "pid")).text()), name);
  }
  async function kill(): Promise<void> {
    await signal("SIGKILL");
    await server?.exited;
  }
  const freeze = () => signal("SIGSTOP");
  const thaw = async () => {
    if (isUp()) await signal("SIGCONT");
  };
  async function stop(): Promise<void> {
    await ctl("stop", join(folder, "pid"));
    await server?.exited;
  }
  const isUp = () => server?.exitCode === null && server.signalCode === null;
  async function dispose(): Promise<void> {
    disposed = true;
    if (isUp()) await kill();
    // Erlang's port mapper outlives the node.
    await Bun.spawn(["epmd", "-port", String(epmdPort), "-kill"], { stdout: "ignore", stderr: "ignore" }).exited;
    rmSync(folder, { recursive: true, force: true });
  }

  await start();
  return { url: `amqp://guest:guest@127.0.0.1:${port}`, port, kill, start, stop, freeze, thaw, isUp, ctl, queues, dispose };
}

/** Starts a node before the first test of the surrounding block and disposes of it after the last. Returns a function that returns the node. */
export function useRabbit(): () => Rabbit {
  let rabbit: Rabbit | undefined;
  beforeAll(async () => {
    rabbit = await startRabbit();
  });
  afterAll(() => rabbit?.dispose());
  return () => {
    if (!rabbit) throw new Error("RabbitMQ runs only during the tests of this block.");
    return rabbit;
  };
}

/** Removes the queues and exchanges that a test may have left in the broker. */
export async function emptyBroker(rabbit: Rabbit): Promise<void> {
  if (!rabbit.isUp()) await rabbit.start();
  const listed = await rabbit.queues();
  const connection = await connect(rabbit.url);
  const channel = await connection.createChannel();
  for (const queue of listed) await channel.deleteQueue(queue);
  await channel.deleteExchange("events");
  await connection.close();
}

/** Lets RabbitMQ take no larger messages than this, on channels that are opened from now on, while `work` runs. */
export async function whileAllowing(rabbit: Rabbit, bytes: number, work: () => Promise<void>): Promise<void> {
  const allowed = await rabbit.ctl("eval", "{ok, Bytes} = application:get_env(rabbit, max_message_size), Bytes.");
  const allow = (most: number) => rabbit.ctl("eval", `application:set_env(rabbit, max_message_size, ${most}).`);
  await allow(bytes);
  await work().finally(() => allow(Number(allowed)));
}
