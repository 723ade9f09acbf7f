// The disk is full: changes are refused, reads go on, health says so, and all works again when there is room. A limit on the
// size of the process's files stands for the disk, since that needs no rights.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run, startApi } from "../support/processes";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const folder = temporaryFolder();
afterEach(async () => {
  await endAll();
  folder.remove();
});

/** Of a file, in KiB: room for a few pages of SQLite's log. */
const room = 40;

test.skipIf(process.platform !== "linux")(
  "a full disk: 503 for every change, nothing is half done, and it recovers by itself",
  async () => {
    const env = environment(folder.path);
    // Makes the database, which takes more room.
    await (await startApi({ env })).stop();
    // Node's signal for a file that grows too large would end the process; with a full disk there is none.
    const api = run(["-c", `trap '' XFSZ; ulimit -S -f ${room}; exec "${process.execPath}" --no-env-file src/main.ts`], {
      env,
      program: "bash",
    });
    const url = /http:\S+\d/.exec(await api.line("Warren listens on"))?.[0];
    const item = { name: "x", description: "d".repeat(2000) };
    const send = async (method: string, path: string, body?: object | string, headers?: Record<string, string>) => {
      const type = typeof body === "string" ? "application/x-ndjson" : "application/json";
      const text = typeof body === "object" ? JSON.stringify(body) : body;
      const answer = await fetch(`${url}${path}`, { method, ...(text && { body: text, headers: { "content-type": type, ...headers } }) });
      return { status: answer.status, text: await answer.text() };
    };
    const key = { "idempotency-key": "one" };
    const lines = `${JSON.stringify(item)}\n`.repeat(50);
    const ready = async () => (await send("GET", "/health/ready")).status;
    const events = async () => (JSON.parse((await send("GET", "/events?after=0&limit=200")).text) as { events: unknown[] }).events.length;

    let created = 0;
    while ((await send("POST", "/items", item)).status === 201) created += 1;
    expect(created).toBeLessThan(10);
    for (let again = 0; again < 3; again += 1) {
      const statuses = [
        await send("POST", "/items", item),
        await send("POST", "/items", item, key),
        await send("POST", "/items/bulk", lines, key),
      ].map(({ status }) => status);
      expect([...statuses, await ready()]).toEqual([503, 503, 503, 503]);
      expect([(await send("GET", "/items")).status, await events()]).toEqual([200, created]);
    }

    await run([`--pid=${api.pid}`, "--fsize=unlimited:unlimited"], { program: "prlimit" }).exited;
    expect(await ready()).toBe(200);
    const first = await send("POST", "/items", item, key);
    expect([first.status, await send("POST", "/items", item, key)]).toEqual([201, first]);
    expect([(await send("POST", "/items/bulk", lines, key)).text.match(/"status":201/g)?.length, await events()]).toEqual([
      50,
      created + 51,
    ]);
  },
);
