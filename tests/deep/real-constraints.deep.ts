// Unique values and references on a real server with 64 clients that want the same values, killed in the middle again and again.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { defineResource, type Resource } from "warren/resource";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { wrongSideTables } from "../support/side-tables";

setDefaultTimeout(180_000);

const clients = 64;
const kills = 4;
/** Number of requests that are answered before each kill. */
const between = 1500;
const rooms = 5;
/** So few that most requests want a value that is taken. */
const codes = 150;

const room = defineResource({ name: "room", fields: { floor: Type.Integer() }, example: { floor: 1 } });
const badge = defineResource({
  name: "badge",
  fields: { code: Type.String(), room: Type.Integer() },
  unique: [{ field: "code", ignoreCase: true }],
  references: { room: { to: "room", onDelete: "cascade" } },
  example: { code: "a", room: 1 },
});
const resources: readonly Resource[] = [room, badge];
const files = {
  "src/domain/room.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
export const room = defineResource({ name: "room", fields: { floor: Type.Integer() }, example: { floor: 1 } });
`,
  "src/domain/badge.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
export const badge = defineResource({
  name: "badge",
  fields: { code: Type.String(), room: Type.Integer() },
  unique: [{ field: "code", ignoreCase: true }],
  references: { room: { to: "room", onDelete: "cascade" } },
  example: { code: "a", room: 1 },
});
`,
  "routes/rooms.ts": `import { crud } from "warren/crud";
import { room } from "../src/domain/room";
export default crud(room);
`,
  "routes/badges.ts": `import { crud } from "warren/crud";
import { badge } from "../src/domain/badge";
export default crud(badge);
`,
};

let copy: ReturnType<typeof temporaryFolder>;
let data: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  copy = copyProject();
  data = temporaryFolder();
  for (const [name, text] of Object.entries(files)) await Bun.write(join(copy.path, name), text);
});
afterAll(async () => {
  await endAll();
  copy.remove();
  data.remove();
});

const anyOf = (count: number) => 1 + Math.floor(Math.random() * count);

test("no two records ever have the same value, each reference leads to a record, and the tables agree, through every kill -9", async () => {
  const options = { cwd: copy.path, env: environment(data.path) };
  const file = options.env["DATABASE_URL"]?.replace("sqlite:", "") ?? "";
  let newest = 0;
  const statuses = new Set<number>();
  const send = async (api: Api, method: string, path: string, body?: object) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${api.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    statuses.add(response.status);
    return { status: response.status, record: text === "" ? undefined : (JSON.parse(text) as { id: number }) };
  };
  const work = async (api: Api) => {
    const what = Math.random();
    const code = `${Math.random() < 0.5 ? "c" : "C"}${anyOf(codes)}`;
    if (what < 0.5) {
      expect([201, 409, 422]).toContain((await send(api, "POST", "/badges", { code, room: anyOf(newest + 1) })).status);
    } else if (what < 0.7) {
      expect([204, 404]).toContain((await send(api, "DELETE", `/badges/${anyOf(codes)}`)).status);
    } else if (what < 0.98) {
      expect([200, 404, 409, 422]).toContain(
        (await send(api, "PATCH", `/badges/${anyOf(codes * 2)}`, { code, room: anyOf(newest) })).status,
      );
    } else {
      expect([204, 404, 409]).toContain((await send(api, "DELETE", `/rooms/${anyOf(newest)}`)).status);
      const { record } = await send(api, "POST", "/rooms", { floor: 1 });
      newest = Math.max(newest, record?.id ?? 0);
    }
  };

  for (let round = 0; round <= kills; round += 1) {
    const api = await startApi(options);
    for (let count = 0; count < rooms; count += 1) newest = (await send(api, "POST", "/rooms", { floor: count })).record?.id ?? 0;
    let answered = 0;
    let isOver = false;
    const client = async () => {
      while (!isOver) {
        try {
          await work(api);
        } catch (error) {
          // The answer of a killed server never comes.
          if (isOver) return;
          throw error;
        }
        answered += 1;
        if (answered < between || isOver) continue;
        isOver = true;
        await api.stop(round < kills ? "SIGKILL" : "SIGTERM");
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    expect(wrongSideTables(file, resources)).toEqual([]);
  }
  expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 201, 204, 409, 422]));
});
