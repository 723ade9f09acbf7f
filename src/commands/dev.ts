// Runs the API, and restarts it when a file in routes/ or src/ is changed, added or removed. `bun --watch` would miss a new route file, and
// would exit at the first error.
import { join, sep } from "node:path";
import { isPackageScript } from "../config/package-script";
import { parseOptions, readCommandLine } from "../observe/command-line";
import { projectFolder as root } from "../project/folder";
import { onSignals } from "../timing/stop-signal";
import { interrupted } from "./command";
import { ConsumerList } from "./dev/consumer-list";
import { KeptConsumers } from "./dev/kept-consumers";
import { KeptProgram } from "./dev/kept-program";
import { Names } from "./dev/lines";
import { type OnLine, startProgram } from "./dev/program";
import { WatchedFolders } from "./dev/watch";

const help = `Runs the API until Ctrl+C, and restarts it when a file in routes/ or src/ changes. Environment variables configure it: see
.env.example.

  bun run dev               the API
  bun run dev --consumers   the API and every consumer in consumers/, each in a process of its own

Options:
  --consumers   also run the consumers. Each line begins with the name of its program; a line of JSON gets it as the field
                "program". A consumer restarts when its file, or a file that it imports, changes, and after a crash. Ctrl+C
                lets the consumers finish the events in progress, then stops the API; a second one ends everything at once
  --help        print this help`;
const { consumers: withConsumers = false } = readCommandLine(help, (words) => parseOptions(words, { consumers: { type: "boolean" } }));

const lookForParentMs = 500;

const names = new Names(Boolean(process.stdout.isTTY) && Bun.enableANSIColors);
const say = (name: string, text: string) => process.stderr.write(`${withConsumers ? names.mark(name, text) : text}\n`);
names.add("api");
const linesOf = (name: string): OnLine | undefined => {
  names.add(name);
  return withConsumers ? (line, stream) => process[stream].write(`${names.mark(name, line)}\n`) : undefined;
};

let isStopping = false;
const api = new KeptProgram({
  title: "The API",
  restarts: false,
  say: (text) => say("api", text),
  async start() {
    const onLine = linesOf("api");
    const generated = await startProgram(join(import.meta.dir, "generate.ts"), onLine).ended;
    if (generated.code === 0 && !isStopping) return startProgram(join(import.meta.dir, "../dev-api.ts"), onLine);
    return undefined;
  },
});
const folders = new WatchedFolders(root, (file) => {
  if (file.startsWith(join(root, "routes") + sep) || file.startsWith(join(root, "src") + sep)) api.change();
  consumers?.change(file);
  if (withConsumers) list.change(file);
});
const list = new ConsumerList(root, () => api.change());
const consumers = withConsumers
  ? new KeptConsumers({ root, folders, start: (name, file) => startProgram(file, linesOf(name)), say })
  : undefined;

const stopped = Promise.withResolvers<number[]>();
onSignals(
  ["SIGINT", "SIGTERM", "SIGHUP"],
  async (signal) => {
    isStopping = true;
    const gentle = signal === "SIGHUP" ? "SIGTERM" : signal;
    const codes = (await consumers?.stop(gentle)) ?? [];
    api.stop(gentle);
    stopped.resolve(codes);
  },
  () => {
    consumers?.kill();
    api.kill();
    process.exit(interrupted);
  },
);

let isOutputLost = false;
for (const stream of [process.stdout, process.stderr]) {
  // The terminal was closed, or the reader of the pipe has ended.
  stream.on("error", () => {
    if (!isOutputLost) process.kill(process.pid, "SIGTERM");
    isOutputLost = true;
  });
}

// A runner of scripts that is killed does not end its script.
const parent = process.ppid;
const lookForParent = () => process.ppid !== parent && process.kill(process.pid, "SIGTERM");
if (isPackageScript()) setInterval(lookForParent, lookForParentMs);

folders.watch("routes");
folders.watch("src");
consumers?.start();
const code = await api.run();
process.exit(Math.max(code, ...(await stopped.promise)));
