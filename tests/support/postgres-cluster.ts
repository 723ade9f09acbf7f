import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { leftovers } from "./folder";
import { freePort } from "./net";
import { eventually } from "./processes";

/** Folder with the programs of the newest version that is installed. */
const bin = [...new Bun.Glob("usr/lib/postgresql/*/bin/postgres").scanSync({ cwd: "/", absolute: true })]
  .map((program) => program.replace(/\/postgres$/, ""))
  .sort((a, b) => versionOf(b) - versionOf(a))[0];

export const isPostgresInstalled = bin !== undefined;

const startTimeoutMs = 60_000;
/** The superuser of each cluster. */
const owner = "warren";

export interface PostgresOptions {
  /** Settings of `postgresql.conf`, besides those that all clusters have. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of `pg_hba.conf`. Default: anybody may connect from this machine without a password. */
  readonly access?: readonly string[];
  /** Certificate and key of the server, and the authority of its clients, in PEM format. Default: it has no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Folder in which its data is. Others must be able to enter it. Default: that of temporary folders, which may be in memory. */
  readonly parent?: string;
  /** Size of a disk of its own, in MiB, for {@link canLimitDisk}. Default: it shares the disk of temporary folders. */
  readonly diskMiB?: number;
  /** True to keep the write-ahead log off that disk. Default: false. */
  readonly isLogApart?: boolean;
}

/** A PostgreSQL cluster of this process. */
export interface PostgresCluster {
  readonly port: number;
  /** Folder of its Unix socket. */
  readonly socket: string;
  /** URL of the database `postgres`, as the superuser. */
  readonly url: string;
  /** Kills all processes of the cluster with kill -9. */
  kill(): Promise<void>;
  /** Starts the cluster again on the same data, also after `kill`. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Stops the cluster and keeps its data: `fast` ends connections and writes a checkpoint, `immediate` is a crash. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Suspends all processes of the cluster without closing their connections, like a cut cable. */
  freeze(): void;
  thaw(): void;
  isUp(): boolean;
  /** Fills the disk of a cluster that has one of its own. */
  fill(): void;
  /** Makes room again. */
  makeRoom(): void;
  /** Changes settings of the running cluster, such as `default_transaction_read_only`. Null takes a setting back. */
  configure(settings: Readonly<Record<string, string | null>>): Promise<void>;
  /** Runs a script as the superuser on a connection of its own. Resolves with the rows of its last statement. */
  evaluate<Row = Record<string, unknown>>(script: string): Promise<Row[]>;
  /** Stops the cluster and removes its data. */
  dispose(): Promise<void>;
}

/** Starts a private PostgreSQL cluster with its own port and folder. None of it outlives this process. */
export async function startCluster(options: PostgresOptions = {}): Promise<PostgresCluster> {
  // Not in the folder of this process's leftovers, which the user of the cluster cannot enter.
  const folder = mkdtempSync(join(options.parent ?? leftovers.parent, "warren-postgres-"));
  const data = join(folder, "data");
  let withdraw = leftovers.runAtEnd(removalOf(folder));
  const port = freePort();
  const url = `postgres://${owner}@127.0.0.1:${port}/postgres`;
  let pid = 0;
  if (options.diskMiB !== undefined) mountDisk(data, options.diskMiB);
  giveToPostgres(folder);

  const isUp = () => pid > 0 && runs(pid);
  async function start(): Promise<void> {
    pid = startServer(data, logOf(folder));
    withdraw();
    withdraw = leftovers.runAtEnd(endOf(pid, folder));
    await eventually(async () => ((await accepts()) ? true : undefined), "PostgreSQL to accept connections", startTimeoutMs);
  }
  async function accepts(): Promise<boolean> {
    if (!isUp()) throw new Error(`PostgreSQL ended at its start. Its log ends with:\n${readFileSync(logOf(folder), "utf8").slice(-3000)}`);
    return evaluate("SELECT 1").then(
      () => true,
      () => false,
    );
  }
  async function evaluate<Row>(script: string): Promise<Row[]> {
    const sql = new Bun.SQL({ adapter: "postgres", hostname: folder, port, username: owner, database: "postgres", max: 1, tls: "disable" });
    try {
      const result = (await sql.unsafe(script).simple()) as Row[] | Row[][];
      return (Array.isArray(result.at(-1)) ? result.at(-1) : result) as Row[];
    } finally {
      await sql.close({ timeout: 0 });
    }
  }
  /** Sends a signal to all processes. Returns them. */
  function signalAll(name: NodeJS.Signals): number[] {
    if (!isUp()) return [];
    // While it is suspended, it starts no other ones.
    process.kill(pid, "SIGSTOP");
    const pids = [...childrenOf(pid), pid];
    for (const each of pids) trySignal(each, name);
    return pids;
  }
  /** Resolves when none of some processes runs. The cluster cannot start again while one of its own does. */
  const ended = (pids: readonly number[]) => eventually(() => pids.every((each) => !runs(each)) || undefined, "PostgreSQL to end");
  async function stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    if (!isUp()) return;
    process.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
    await ended([pid]);
  }
  async function kill(): Promise<void> {
    await ended(signalAll("SIGKILL"));
  }
  async function dispose(): Promise<void> {
    signalAll("SIGCONT");
    await stop("immediate");
    withdraw();
    if (options.diskMiB !== undefined) call(["umount", data]);
    rmSync(folder, { recursive: true, force: true });
  }
  async function configure(changed: Readonly<Record<string, string | null>>): Promise<void> {
    const lines = Object.entries(changed).map(
      ([name, value]) => `ALTER SYSTEM ${value === null ? `RESET ${name}` : `SET ${name} = '${value}'`}`,
    );
    for (const line of lines) await evaluate(line);
    await evaluate("SELECT pg_reload_conf()");
  }

  const filler = join(data, "filler");
  /** Writes until nothing more fits. */
  function fill(): void {
    const { exitCode } = Bun.spawnSync(["sh", "-c", `cat /dev/zero > ${filler}`], { stderr: "ignore" });
    if (exitCode === 0) throw new Error("The disk has no end.");
  }
  const makeRoom = () => rmSync(filler);

  const cluster = { port, socket: folder, url, kill, start, stop, isUp, fill, makeRoom, configure, evaluate, dispose };
  try {
    initialize(data, options.isLogApart ? join(folder, "wal") : undefined);
    writeFiles(data, folder, port, options);
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...cluster, freeze: () => void signalAll("SIGSTOP"), thaw: () => void signalAll("SIGCONT") };
}

/**
 * Starts a server, and returns its process id. It is not a child of this process: a test that times out makes Bun kill all children, and
 * other files use the server, too. Its parent waits for its end, so that its process id is free then.
 */
function startServer(data: string, log: string): number {
  const server = `${runAsPostgres([`${bin}/postgres`, "-D", data]).join(" ")} >> ${log} 2>&1`;
  // In a session of its own, so that Ctrl+C does not reach it.
  const { stdout } = Bun.spawnSync(["sh", "-c", `setsid sh -c '${server} & echo $!; exec >&-; wait' &`], {
    cwd: "/",
    stdout: "pipe",
    stderr: "ignore",
  });
  return Number(stdout.toString());
}

/** Prefix of commands that PostgreSQL refuses to run as root. */
const asOwner = process.getuid?.() === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

/** Returns a command that runs another one as the user that PostgreSQL runs as. */
export function runAsPostgres(command: readonly string[]): string[] {
  return [...asOwner, ...command];
}

/** Gives a folder, with all that is in it, to the user that PostgreSQL runs as. */
export function giveToPostgres(folder: string): void {
  if (asOwner.length > 0) call(["chown", "-R", "postgres:postgres", folder]);
}

function call(command: readonly string[]): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: "/", stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}${stdout}`);
}

/** Creates a cluster's data. Its collation is not that of bytes, so that a missing `COLLATE "C"` is noticed. */
function initialize(data: string, logFolder: string | undefined): void {
  const collation = versionOf(bin ?? "") >= 15 ? ["--locale-provider=icu", "--icu-locale=en-US"] : [];
  const options = [
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
    ...collation,
    ...(logFolder ? [`--waldir=${logFolder}`] : []),
  ];
  call(runAsPostgres([`${bin}/initdb`, "-D", data, "-U", owner, ...options]));
}

function writeFiles(data: string, folder: string, port: number, { settings = {}, access, tls }: PostgresOptions): void {
  const all: Readonly<Record<string, string>> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: folder,
    max_connections: "200",
    shared_buffers: "32MB",
    deadlock_timeout: "100ms",
    // In files of the cluster, since kill -9 would leave shared memory behind.
    dynamic_shared_memory_type: "mmap",
    ...(tls && { ssl: "on" }),
    ...(tls?.ca !== undefined && { ssl_ca_file: "clients.crt" }),
    ...settings,
  };
  appendFileSync(
    join(data, "postgresql.conf"),
    Object.entries(all)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
  );
  if (access) writeFileSync(join(data, "pg_hba.conf"), [`local all ${owner} trust`, ...access, ""].join("\n"));
  if (tls) {
    writeFileSync(join(data, "server.crt"), tls.cert);
    writeFileSync(join(data, "server.key"), tls.key, { mode: 0o600 });
    if (tls.ca !== undefined) writeFileSync(join(data, "clients.crt"), tls.ca);
  }
  giveToPostgres(folder);
}

function logOf(folder: string): string {
  return join(folder, "server.log");
}

/** Returns the processes that a server has started. */
function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]);
  return stdout.toString().split("\n").map(Number).filter(Boolean);
}

function trySignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Returns whether a process runs. One that has ended and that its parent has not looked at yet does not. */
function runs(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  return !/^(Z|$)/.test(stdout.toString().trim());
}

/** Returns whether this process may give a cluster a disk of its own. */
export function canLimitDisk(): boolean {
  const folder = mkdtempSync(join(leftovers.folder, "disk-"));
  try {
    mountDisk(folder, 1);
    call(["umount", folder]);
    return true;
  } catch {
    return false;
  }
}

function mountDisk(folder: string, sizeMiB: number): void {
  mkdirSync(folder, { recursive: true });
  call(["mount", "-t", "tmpfs", "-o", `size=${sizeMiB}m,mode=0700`, "tmpfs", folder]);
}

/** Returns the shell command that removes the folder of a cluster, with a disk that may be mounted in it. */
function removalOf(folder: string): string {
  return `mountpoint -q ${folder}/data && umount ${folder}/data; rm -rf ${folder}`;
}

/** Returns the shell command that ends a server, which may be frozen, and removes its folder. */
function endOf(pid: number, folder: string): string {
  const wait = `for n in $(seq 50); do kill -0 ${pid} 2> /dev/null || break; sleep 0.1; done`;
  return `kill -CONT ${pid} $(ps -o pid= --ppid ${pid}); kill -QUIT ${pid}; ${wait}; kill -9 ${pid}; ${removalOf(folder)}`;
}

function versionOf(path: string): number {
  return Number(/(\d+)\/bin/.exec(path)?.[1] ?? 0);
}
