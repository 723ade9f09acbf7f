// The consumers and commands of `dist/warren`, in a project with a resource and a consumer that are not examples.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endAll, eventually, run, send, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";

// A build takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

const parcel = `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const parcel = defineResource({
  name: "parcel",
  plural: "parcels",
  fields: { address: Type.String({ minLength: 1 }) },
  example: { address: "1 Main Street" },
});
`;
const weigh = `import { type ConsumerOptions, runConsumer } from "warren/consumer";
import { labels } from "./labels";

export const weigh = {
  queue: "weigh",
  events: ["parcel.created"],
  description: "Weighs each parcel.",
  exactlyOnce: true,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS weighed (parcel INTEGER)"),
  async handle({ parcel }, { tx }) {
    if (parcel.address === "nowhere") throw new Error(\`no scales, but \${labels.queue}\`);
    await tx.run("INSERT INTO weighed VALUES (?)", parcel.id);
    console.log(\`weighed \${parcel.address}\`);
  },
  retry: { attempts: 1 },
} satisfies ConsumerOptions<"parcel.created">;

if (import.meta.main) await runConsumer(weigh);
`;
/** Its options are imported by the other one. */
const labels = `import { runConsumer } from "warren/consumer";

export const labels = { queue: "labels", handle: () => console.log("labelled") };
if (import.meta.main) await runConsumer(labels);
`;
/** Exports nothing, and runs when it is loaded. */
const bare = `import { runConsumer } from "warren/consumer";

await runConsumer({ queue: "bare", events: ["parcel.created"], handle: ({ parcel }) => console.log(\`bare \${parcel.address}\`) });
`;

let copy: ReturnType<typeof copyProject>;
let program: string;
let cwd: string;
let env: Record<string, string>;
beforeAll(async () => {
  copy = copyProject();
  for (const file of readdirSync(join(copy.path, "consumers"))) rmSync(join(copy.path, "consumers", file));
  for (const [file, text] of Object.entries({
    "src/domain/parcel.ts": parcel,
    "routes/parcels.ts":
      'import { crud } from "warren/crud";\nimport { parcel } from "../src/domain/parcel";\n\nexport default crud(parcel);\n',
    "consumers/weigh.ts": weigh,
    "consumers/labels.ts": labels,
    "consumers/bare.ts": bare,
  })) {
    await Bun.write(join(copy.path, file), text);
  }
  program = join(copy.path, "dist/warren");
  const build = run(["src/commands/build.ts"], { cwd: copy.path });
  expect([await build.exited, build.stderr.filter((line) => line.includes("error"))]).toEqual([0, []]);
  // The executable needs nothing of the project.
  for (const folder of ["src", "routes", "consumers"]) rmSync(join(copy.path, folder), { recursive: true });
  cwd = mkdtempSync(join(copy.path, "empty-"));
  env = { PORT: "0", RABBITMQ_URL: "none" };
});
afterEach(endAll);
afterAll(() => copy.remove());

const warren = (...args: string[]) => run(args, { program, cwd, env });
async function output(...args: string[]) {
  const command = warren(...args);
  const code = await command.exited;
  return { code, stdout: command.stdout.join("\n"), stderr: command.stderr.join("\n") };
}

test("its help lists the consumers and commands, and what it does not know is refused with what there is", async () => {
  const help = await output("--help");
  expect(help.code).toBe(0);
  for (const line of [
    "warren consumer weigh       ",
    "Weighs each parcel.",
    "warren consumer labels",
    "warren dead-letters",
    "warren start",
  ]) {
    expect(help.stdout).toContain(line);
  }
  expect(await output("nope")).toMatchObject({ code: 2, stderr: expect.stringContaining("consumer NAME, status, doctor, dead-letters") });
  expect(await output("constructor")).toMatchObject({ code: 2 });
  expect(await output("--nope")).toMatchObject({ code: 2, stderr: expect.stringContaining('Unknown option "--nope"') });
  const unknown = 'Unknown consumer "nope". Consumers: bare, labels, weigh.';
  expect(await output("consumer", "nope")).toMatchObject({ code: 2, stderr: expect.stringContaining(unknown) });
  expect(await output("consumer")).toMatchObject({ code: 2, stderr: expect.stringContaining("Consumers: bare, labels, weigh.") });
});

test("each program has its own help, in the words of the executable, and refuses what it does not know", async () => {
  const consumer = await output("consumer", "weigh", "--help");
  expect(consumer).toMatchObject({ code: 0, stdout: expect.stringContaining("warren consumer weigh") });
  const { stdout: status } = await output("status", "--help");
  expect(status).toContain("warren status --watch");
  expect(status).not.toContain("bun run");
  expect(await output("start", "--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("Runs the API until Ctrl+C") });
  expect(await output("consumer", "weigh", "--nope")).toMatchObject({ code: 2 });
  expect(await output("status", "--nope")).toMatchObject({ code: 2 });
  expect(await output("start", "--nope")).toMatchObject({ code: 2 });
});

test("a consumer handles the events of its API, also one whose options another one imports, and the commands see both", async () => {
  const api = await startApi({ program, cwd, env });
  const consumers = [warren("consumer", "weigh"), warren("consumer", "bare"), warren("consumer", "labels")] as const;
  const [weighing, baring, labelling] = consumers;
  for (const address of ["here", "nowhere"]) {
    expect((await send("POST", `${api.url}/parcels`, { address })).status).toBe(201);
  }
  await Promise.all([weighing.line("weighed here"), baring.lines(/bare/, 2), labelling.lines(/labelled/, 2)]);
  expect(weighing.stdout.join("\n")).not.toContain("labelled");
  const letters = await eventually(async () => {
    const { stdout } = await output("dead-letters", "list", "weigh", "--json");
    return stdout.includes("no scales, but labels") ? stdout : undefined;
  }, "the dead letter");
  expect(letters).toContain("consumers/weigh.ts:");
  const status = await output("status", "--json");
  const { queues } = JSON.parse(status.stdout) as { queues: { queue: string; consumers: number }[] };
  expect(queues.filter(({ consumers }) => consumers === 1).map(({ queue }) => queue)).toEqual(
    expect.arrayContaining(["bare", "labels", "weigh"]),
  );
  const doctor = await output("doctor", "--json");
  expect(doctor.stdout).not.toContain("generated");
  expect((await output("export", "parcel")).stdout).toContain('"address":"nowhere"');
  for (const consumer of consumers) expect(await consumer.stop("SIGINT")).toBe(0);
  expect(await api.stop()).toBe(0);
});
