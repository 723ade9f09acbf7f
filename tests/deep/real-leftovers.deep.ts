// No RabbitMQ outlives a test run that was killed, whether it runs, is frozen, or only starts.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { eventually, root, run } from "../support/processes";
import { describeWithRabbit } from "../support/rabbit";

setDefaultTimeout(60_000);

const source = `import { temporaryFolder } from ${JSON.stringify(join(root, "tests/support/folder"))};
import { startRabbit } from ${JSON.stringify(join(root, "tests/support/rabbit"))};
console.log(temporaryFolder().path);
const starting = startRabbit();
if (process.argv[2] !== "starting") {
  const rabbit = await starting;
  if (process.argv[2] === "frozen") await rabbit.freeze();
}
console.log("ready");
await Bun.sleep(60_000);
`;

describeWithRabbit("a node and its port mapper are gone after kill -9 of the run", () => {
  test.each(["running", "frozen", "starting"])("when it was %s", async (state) => {
    const folder = temporaryFolder();
    const file = join(folder.path, "runner.ts");
    await Bun.write(file, source);
    const runner = run([file, state]);
    const path = await runner.line(/warren-/);
    await runner.line("ready");
    const ofRun = join(path, "..");
    // Both have the folder of the run in their environment.
    const processes = () => pidsWith(ofRun);
    await eventually(() => processes().length > (state === "starting" ? 1 : 2) || undefined, "its processes");
    await runner.stop("SIGKILL");
    await eventually(() => processes().length === 0 || undefined, "its processes to end");
    await eventually(
      () => !readdirSync(join(ofRun, "..")).includes(ofRun.slice(ofRun.lastIndexOf("/") + 1)) || undefined,
      "its folder to go",
    );
    expect(processes()).toEqual([]);
    folder.remove();
  });
});

function pidsWith(path: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(path);
    } catch {
      return false;
    }
  });
}
