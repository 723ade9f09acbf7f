import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as openSocket } from "node:net";
import { join } from "node:path";
import { leftovers, temporaryFolder } from "./folder";
import { freePort } from "./net";
import { eventually } from "./processes";

const bin = "/usr/lib/rabbitmq/bin";
/** Calls a function on a node without an Erlang machine of its own. Part of Debian's erlang-base, which RabbitMQ needs. */
const [erlCall = "erl_call"] = new Bun.Glob("usr/lib/erlang/lib/erl_interface-*/bin/erl_call").scanSync({ cwd: "/", absolute: true });

export const isRabbitInstalled = existsSync(`${bin}/rabbitmq-server`);

const startTimeoutMs = 60_000;

/** A RabbitMQ node of this process. */
export interface RabbitNode {
  readonly port: number;
  /** Where its management API listens, if it has one. */
  readonly managementPort: number | undefined;
  /** Kills the node with kill -9, like a power failure. */
  kill(): Promise<void>;
  /** Starts the node again on the same data, also after `kill`. */
  start(): Promise<void>;
  /** Stops the node cleanly and keeps its data. */
  stop(): Promise<void>;
  /** Suspends the node without closing its connections, like a cut cable. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Returns whether its process runs, frozen or not. */
  isUp(): boolean;
  isFrozen(): boolean;
  /** Runs `rabbitmqctl`, which starts an Erlang machine for each call. */
  ctl(...args: string[]): Promise<string>;
  /** Evaluates Erlang expressions on the node within milliseconds. Resolves with the last value: text as it is, anything else as a term. */
  evaluate(code: string): Promise<string>;
  /** Stops the node and removes its data. */
  dispose(): Promise<void>;
}

export interface RabbitOptions {
  readonly port?: number;
  /** Where its management API listens. Default: it has none. */
  readonly managementPort?: number;
  /** Folder for the node's own folder. Default: in memory if the system has room. */
  readonly parent?: string;
  /** The settings that nodes of one cluster share. Default: the node stays alone. */
  readonly cluster?: ClusterOptions;
}

export interface ClusterOptions {
  /** Port of the Erlang port mapper of all nodes. A node leaves it running. */
  readonly mapperPort: number;
  /** Secret with which the nodes know each other. */
  readonly cookie: string;
  /** AMQP ports of all nodes. They find each other at the first start. */
  readonly ports: readonly number[];
  /** Further lines of `rabbitmq.conf`. */
  readonly settings: readonly string[];
}

/** Name of the node that listens on a port. */
export const nodeNameOf = (port: number) => `w${port}@localhost`;

/** Starts a private RabbitMQ node with its own ports, Erlang port mapper and folder. None of it outlives this process. */
export async function startNode({ port = freePort(), managementPort, parent, cluster }: RabbitOptions = {}): Promise<RabbitNode> {
  const folder = parent === undefined ? temporaryFolder().path : mkdtempSync(join(parent, "rabbitmq-"));
  const [distPort, epmdPort] = [freePort(), cluster?.mapperPort ?? freePort()];
  const pidFile = join(folder, "pid");
  writeFileSync(join(folder, "plugins"), managementPort === undefined ? "[]." : "[rabbitmq_management].");
  writeFileSync(join(folder, "rabbitmq.conf"), `${configuration(managementPort, cluster).join("\n")}\n`);
  if (cluster) writeFileSync(join(folder, ".erlang.cookie"), cluster.cookie, { mode: 0o400 });
  const env = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: folder,
    RABBITMQ_NODENAME: nodeNameOf(port),
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    // Lets the port mapper be killed before it notices that the node is dead.
    ERL_EPMD_RELAXED_COMMAND_CHECK: "1",
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_PID_FILE: pidFile,
    // Several nodes share two cores: one thread each, which does not wait busily.
    ...(cluster && { RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +sbwt none" }),
  };
  // Erlang's port mapper outlives the node.
  const endMapper = cluster ? ["true"] : ["epmd", "-port", String(epmdPort), "-kill"];
  let server: Bun.Subprocess | undefined;
  let withdraw = () => {};
  let disposed = false;
  let frozen = false;

  async function call(command: string[], stdin = ""): Promise<string> {
    const run = Bun.spawn(command, { env, stdin: new Blob([stdin]), stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    if (code !== 0) throw new Error(`${command.join(" ")} ${stdin}: ${err || out}`);
    return out;
  }
  const ctl = (...args: string[]) => call([`${bin}/rabbitmqctl`, ...args]);
  async function evaluate(code: string): Promise<string> {
    const cookie = readFileSync(join(folder, ".erlang.cookie"), "utf8").trim();
    // In base64, since erl_call prints text with escapes of its own.
    const inBase64 = `Value = begin ${code} end,
      Text = case io_lib:printable_unicode_list(Value) of true -> Value; false -> io_lib:format("~tp", [Value]) end,
      binary_to_list(base64:encode(unicode:characters_to_binary(Text))).\n`;
    const out = await call([erlCall, "-sname", env.RABBITMQ_NODENAME, "-c", cookie, "-e"], inBase64);
    // No text at all comes as an empty list.
    const answer = /^\{ok, (?:"([^"]*)"|\[\])\}/.exec(out);
    if (!answer) throw new Error(`${code}: ${out}`);
    return Buffer.from(answer[1] ?? "", "base64").toString();
  }
  async function start(): Promise<void> {
    if (disposed) throw new Error("This RabbitMQ has been disposed of.");
    rmSync(pidFile, { force: true });
    frozen = false;
    // A process group of its own holds the server's script and the Erlang machine.
    server = Bun.spawn([`${bin}/rabbitmq-server`], { env, stdout: "ignore", stderr: "ignore", detached: true });
    withdraw();
    // A machine that was only starting may have started the mapper, which does not listen yet.
    const endMapperSoon = `for seconds in 0 1 2; do sleep $seconds; ${endMapper.join(" ")}; done`;
    withdraw = leftovers.runAtEnd(`kill -9 -${server.pid}; ${endMapperSoon}`);
    await eventually(() => (isUp() ? listens(port) : failedStart()), "RabbitMQ to listen", startTimeoutMs);
    await evaluate("rabbit:await_startup()");
  }
  function failedStart(): never {
    throw new Error(`RabbitMQ ended at its start, with ${server?.exitCode ?? server?.signalCode}.`);
  }
  const isUp = () => server?.exitCode === null && server.signalCode === null;
  function signal(name: NodeJS.Signals): void {
    if (!server || !isUp()) return;
    // The script ends after the machine. Before the machine has written its pid, both get the signal.
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    process.kill(pid || -server.pid, name);
  }
  async function kill(): Promise<void> {
    signal("SIGKILL");
    await server?.exited;
  }
  async function stop(): Promise<void> {
    server?.kill("SIGTERM");
    await server?.exited;
  }
  async function dispose(): Promise<void> {
    disposed = true;
    await kill();
    await Bun.spawn(endMapper, { env, stdout: "ignore", stderr: "ignore" }).exited;
    withdraw();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await start();
  } catch (error) {
    const logs = [...new Bun.Glob("log/**/*.log").scanSync({ cwd: folder, absolute: true })].map((file) => readFileSync(file, "utf8"));
    await dispose();
    throw new Error(`RabbitMQ did not start. Its log ends with:\n${logs.join("\n").slice(-3000)}`, { cause: error });
  }
  async function freeze(isStopped = true): Promise<void> {
    frozen = isStopped;
    signal(isStopped ? "SIGSTOP" : "SIGCONT");
  }
  const isFrozen = () => frozen && isUp();
  return {
    port,
    managementPort,
    kill,
    start,
    stop,
    freeze: () => freeze(),
    thaw: () => freeze(false),
    isUp,
    isFrozen,
    ctl,
    evaluate,
    dispose,
  };
}

/** Returns the lines of a node's `rabbitmq.conf`. */
function configuration(managementPort: number | undefined, cluster: ClusterOptions | undefined): string[] {
  return [
    ...(managementPort === undefined ? [] : ["management.tcp.ip = 127.0.0.1", `management.tcp.port = ${managementPort}`]),
    ...(cluster ? ["cluster_formation.peer_discovery_backend = classic_config", ...cluster.settings] : []),
    ...(cluster?.ports ?? []).map((port, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeNameOf(port)}`),
  ];
}

/** Resolves with true if something listens on a port of this machine, else with undefined. */
function listens(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = openSocket(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(undefined));
    socket.once("connect", () => socket.destroy());
  });
}
