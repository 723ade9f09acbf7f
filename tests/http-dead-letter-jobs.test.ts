// Groups, search and jobs of dead letters over HTTP.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import deadLetterJobs from "../src/built-in/dead-letter-jobs";
import deadLetters from "../src/built-in/dead-letters";
import type { DeadLetterJob } from "../src/delivery/dead-letter-job";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openApi, type TestApi } from "./support/api";
import { deadEvents } from "./support/dead-letters";
import { eventually } from "./support/processes";

const routes = [
  { file: "dead-letters.ts", path: "/dead-letters", route: deadLetters },
  { file: "dead-letter-jobs.ts", path: "/dead-letter-jobs", route: deadLetterJobs },
];
const apiTokens = [
  { token: "token-of-admin", scope: "admin", name: "ada" },
  { token: "token-to-write", scope: "write" },
] as const;
const at = "2026-02-18T18:23:45.123Z";

let api: TestApi;
beforeEach(async () => {
  api = openApi({ routes, config: { apiTokens } });
  const file = openConsumerFile(join(api.consumersDir, "stock.db"), { durable: false });
  const about = { type: "item.created", reason: "rejected", stack: "at a.ts", attempts: 1, firstFailure: at, lastFailure: at };
  for (const [number, event] of deadEvents(12).entries())
    await file.dead.add({
      ...about,
      ...event,
      error: number < 9 ? `no answer in ${number} s` : "not found",
      replay: "no",
      traceparent: null,
    });
  await file.close();
});
afterEach(() => api.close());

const send = (method: string, path: string, body?: unknown, token = "token-of-admin") =>
  api.send(method, path, body, { authorization: `Bearer ${token}` });
interface Groups {
  groups: { group: string; count: number; error: string }[];
  upTo: number;
}

test("groups, and a list of one of them, without bodies", async () => {
  const found = (await send("GET", "/dead-letters/stock/groups")).json<Groups>();
  expect(found).toMatchObject({ matched: 12, looked: 12, complete: true, upTo: 12 });
  expect(found.groups.map(({ error, count }) => [error, count])).toEqual([
    ["no answer in 8 s", 9],
    ["not found", 3],
  ]);
  const answer = await send("GET", `/dead-letters/stock?group=${found.groups[1]?.group}&body=none&limit=2`);
  const { deadLetters: letters, upTo } = answer.json<{ deadLetters: Record<string, unknown>[]; upTo: number }>();
  expect([letters.map(({ subject, body, stack, group }) => [subject, body, stack, group]), upTo]).toEqual([
    [10, 11].map((subject) => [subject, null, null, found.groups[1]?.group]),
    12,
  ]);
  expect((await send("GET", "/dead-letters/stock/groups?search=FOUND&from=2026-02-18")).json()).toMatchObject({ matched: 3, looked: 12 });
});

test("a job: 202 with its URL, its progress, and the list of all", async () => {
  const answer = await send("POST", "/dead-letter-jobs", { action: "redrive", queue: "stock", search: "not found", upTo: 11 });
  const job = answer.json<DeadLetterJob>();
  expect([answer.status, answer.headers.get("location")]).toEqual([202, `/dead-letter-jobs/${job.id}`]);
  expect(job).toMatchObject({ action: "redrive", queue: "stock", selection: { search: "not found", upTo: 11 }, by: "ada" });
  const ended = await eventually(async () => {
    const now = (await send("GET", `/dead-letter-jobs/${job.id}`)).json<DeadLetterJob>();
    return now.state !== "running" && now;
  }, "the end");
  expect(ended).toMatchObject({ state: "finished", done: 2, error: null });
  expect((await send("GET", "/dead-letter-jobs")).json()).toEqual({ jobs: [ended] });
  expect((await send("DELETE", `/dead-letter-jobs/${job.id}`)).json()).toEqual(ended);
});

test("a job that selects nothing, or everything by mistake, is refused", async () => {
  const refused = async (body: object) => (await send("POST", "/dead-letter-jobs", { action: "discard", queue: "stock", ...body })).status;
  expect(await refused({})).toBe(422);
  expect(await refused({ upTo: 5 })).toBe(422);
  expect(await refused({ all: true, reason: "rejected" })).toBe(422);
  expect(await refused({ all: false })).toBe(422);
  expect(await refused({ queue: "nothing", all: true })).toBe(404);
  expect(await refused({ all: true, upTo: 0 })).toBe(202);
  expect((await send("GET", "/dead-letter-jobs/none")).json()).toMatchObject({
    status: 404,
    detail: expect.stringContaining("another process"),
  });
});

test("only an admin sees and begins jobs", async () => {
  for (const path of ["/dead-letter-jobs", "/dead-letter-jobs/x", "/dead-letters/stock/groups"])
    expect((await send("GET", path, undefined, "token-to-write")).status).toBe(403);
  expect((await send("POST", "/dead-letter-jobs", { action: "discard", queue: "stock", all: true }, "token-to-write")).status).toBe(403);
});
