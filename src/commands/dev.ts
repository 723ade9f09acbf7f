// Runs the API, and restarts it when a file in routes/ or src/ is changed, added or removed. `bun --watch` would miss a new route file, and
// would exit at the first error.
import { watch } from "node:fs";
import { join } from "node:path";
import { parseOptions, readCommandLine } from "../observe/command-line";
import { projectFolder as root } from "../project/folder";
import { Signal } from "../timing/signal";

const help = `Runs the API until Ctrl+C, and restarts it when a file in routes/ or src/ changes. Takes no arguments. Environment variables
configure it: see .env.example.`;
readCommandLine(help, (words) => parseOptions(words, {}));

/** Editors write a file in several steps. */
const settleMs = 100;

const waiting = "The API is not running; it starts again when a file changes.";

const changed = new Signal();
let stopping = false;
let api: Bun.Subprocess | undefined;

for (const folder of ["routes", "src"]) {
  watch(join(root, folder), { recursive: true }, (_, file) => {
    if (!file?.endsWith(".generated.ts")) changed.raise();
  });
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopping = true;
    api?.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
    changed.raise();
  });
}

let code = 0;
while (!stopping) {
  const generated = (await start("generate.ts").exited) === 0;
  if (stopping) break;
  const started = generated ? start("../dev-api.ts") : undefined;
  api = started;
  if (!started) console.error(waiting);
  void started?.exited.then(() => {
    if (api === started && !stopping) console.error(waiting);
  });
  await changed.wait();
  if (!stopping) {
    await Bun.sleep(settleMs);
    await changed.wait(0);
    api = undefined;
    started?.kill("SIGTERM");
  }
  code = (await started?.exited) ?? 0;
}
process.exit(code);

function start(program: string): Bun.Subprocess {
  return Bun.spawn([process.execPath, join(import.meta.dir, program)], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    // A terminal sends Ctrl+C to its whole process group. In a group of its own, the API gets only the signal that this process passes on.
    detached: true,
  });
}
