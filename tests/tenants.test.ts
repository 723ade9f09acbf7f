// Nothing of a tenant's or owner's records shows to others: a marker is put into the records of one, and every route of the API
// document is called as another, with the ids and values of those records.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { action } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, Nullable } from "warren/resource";
import { openApi, type TestApi } from "./support/api";
import { isInFull } from "./support/in-full";
import { audience, type Claims, type TestIssuer, testIssuer } from "./support/issuer";

const marker = "Kryptonite";

const fields = {
  name: Type.String({ maxLength: 100 }),
  size: Type.Integer(),
  tags: Type.Array(Type.String()),
  parent: Nullable(Type.Integer({ minimum: 1 })),
};
const lists = {
  filters: { name: "exact", size: ["exact", "range"], tags: "contains" },
  sort: ["name", ["size", "-name"]],
  search: ["name"],
  events: { praised: { words: Type.String() } },
} as const;
const example = { name: "Sample", size: 1, tags: ["a"], parent: null };

const project = defineResource({
  name: "project",
  fields,
  ...lists,
  example,
  scope: { field: "tenant", claim: "org_id" },
  unique: ["name"],
  references: { parent: { to: "project", onDelete: "cascade" } },
});
const note = defineResource({
  name: "note",
  fields,
  ...lists,
  example,
  owner: "author",
  unique: [{ field: "name", within: "owner" }],
  references: { parent: { to: "note", onDelete: "null" } },
});
const task = defineResource({
  name: "task",
  fields,
  ...lists,
  example,
  owner: "author",
  scope: { field: "team", claim: "org_id" },
  unique: [["name", "size"]],
  references: { parent: { to: "project" } },
});
const praise = Type.Object({ words: Type.String() });
const actionsOf = (resource: typeof project | typeof note | typeof task) =>
  action(resource as typeof project, {
    body: praise,
    change: ({ size }) => ({ size: size + 1 }),
    emit: { praised: ({ words }) => ({ words }) },
  });

let issuer: TestIssuer;
let api: TestApi;
beforeAll(async () => {
  issuer = await testIssuer();
});
afterAll(() => issuer.stop());
// Each test has records of its own, since ids of different resources are the same numbers.
beforeEach(() => {
  api = openApi({
    resources: [project, note, task],
    routes: [project, note, task].flatMap((resource) => [
      { file: `${resource.plural}.ts`, path: `/${resource.plural}`, route: crud(resource as typeof project) },
      { file: `${resource.plural}/[id]/praise.ts`, path: `/${resource.plural}/:id/praise`, route: actionsOf(resource) },
    ]),
    config: {
      issuer: { url: issuer.url, audiences: [audience] },
      apiTokens: [
        { scope: "admin", name: "operator", token: "token-of-the-operator" },
        { scope: "write", name: "machine", token: "token-of-a-machine" },
      ],
    },
  });
});
afterEach(() => api.close());

interface Sent {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Ends a stream. Resolves with what it has sent. */
  readonly end?: () => Promise<string>;
}
type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Sent>;

const sendAs =
  (token: string): Send =>
  async (method, path, body, headers = {}) => {
    const isMerge = method === "PATCH" && body !== undefined;
    const request = new Request(`http://test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": isMerge ? "application/merge-patch+json" : "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await api.app.handle(request);
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    const { status, headers: received } = response;
    if (!isStream) return { status, headers: received, text: await response.text() };
    return { status, headers: received, text: "", end: readFrom(response) };
  };

/** Reads a stream from now on. Returns a function that ends it and resolves with what it has sent. */
function readFrom(response: Response): () => Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  const read = async () => {
    for (let { value } = await reader.read(); value; { value } = await reader.read()) text += new TextDecoder().decode(value);
  };
  const ended = read();
  return async () => {
    await reader.cancel();
    await ended;
    return text;
  };
}

/** Resolves when a new stream has the first event of the log. Streams get their pieces of the log in the order in which they were opened. */
async function allServed(): Promise<void> {
  const request = new Request("http://test/events/stream", {
    headers: { authorization: "Bearer token-of-the-operator", "last-event-id": "0" },
  });
  const reader = ((await api.app.handle(request)).body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!text.includes("data: ")) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  // The others read what they were given.
  await new Promise(setImmediate);
}

const tokenOf = (claims: Claims) => issuer.sign({ scope: "write", ...claims });
const json = <T = Record<string, unknown>>({ text }: Sent) => JSON.parse(text) as T;

/** Creates records that contain the marker, and everything that the API makes of them. Returns their ids and those of their events. */
async function fill(send: Send, resource: { readonly plural: string; readonly name: string }, parent: number | null) {
  const values = { name: marker, size: 7, tags: [marker], parent };
  const created = await send("POST", `/${resource.plural}`, values, { "idempotency-key": `key-of-${marker}` });
  expect([created.status, created.text]).toEqual([201, expect.stringContaining(marker)]);
  const { id } = json<{ id: number }>(created);
  expect((await send("PATCH", `/${resource.plural}/${id}`, { tags: [marker, "b"] })).status).toBe(200);
  expect((await send("POST", `/${resource.plural}/${id}/praise`, { words: marker })).status).toBe(200);
  const gone = json<{ id: number }>(await send("POST", `/${resource.plural}`, { ...values, name: `${marker} 2` })).id;
  expect((await send("DELETE", `/${resource.plural}/${gone}`)).status).toBe(204);
  const events = json<{ events: { event: { id: string } }[] }>(await send("GET", `/events?resource=${resource.name}&id=${id}`)).events;
  expect(events.length).toBeGreaterThanOrEqual(4);
  return { id, gone, event: events[0]?.event.id ?? "", etag: created.headers.get("etag") ?? "" };
}

type Known = Awaited<ReturnType<typeof fill>>;

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown }> };
}

/** Calls every operation as somebody else, with all that could lead to the records. Returns the answers that contain the marker. */
async function callEverything(
  send: Send,
  resource: { readonly plural: string },
  known: Known,
  missing?: number,
): Promise<{ leaks: string[]; called: number }> {
  const { paths } = json<Document>(await send("GET", "/swagger/json"));
  const leaks: string[] = [];
  const streams: { what: string; end: () => Promise<string>; isOwn: boolean }[] = [];
  let called = 0;
  const look = (what: string, shown: string, isOwn: boolean) => {
    if (shown.includes(marker) && !isOwn) leaks.push(`${what}: ${shown.slice(0, 300)}`);
  };
  const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    called += 1;
    const answer = await send(method, path, body, headers);
    // A request that contains the marker may get it back in its own record or its URL.
    const isOwn = JSON.stringify([path, body]).includes(marker);
    const what = `${method} ${path}`;
    look(what, answer.text + JSON.stringify([...answer.headers]), isOwn);
    if (answer.end) streams.push({ what, end: answer.end, isOwn });
    return answer;
  };
  for (const [pattern, operations] of Object.entries(paths)) {
    for (const [verb, { parameters = [], requestBody }] of Object.entries(operations)) {
      const method = verb.toUpperCase();
      const bodies = requestBody ? Object.values(requestBody.content).map(({ example }) => example) : [undefined];
      const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
      const queries = ["", ...query.flatMap((name) => valuesOf(name, known.id).map((value) => `?${name}=${encodeURIComponent(value)}`))];
      if (query.includes("resource")) queries.push(...["project", "note", "task"].map((name) => `?resource=${name}&id=${known.id}`));
      const ids = pattern.includes("/events/") ? [known.event] : [String(known.id), String(known.gone)];
      for (const id of pattern.includes("{id}") ? ids : [""]) {
        const path = pattern.replace("{id}", id).replace("{queue}", "project_events");
        for (const body of bodies) {
          for (const search of queries) await call(method, path + search, body);
          for (const headers of headersFor(known.etag)) await call(method, path, body, headers);
        }
      }
      // The answer for a record that exists is the same as for a missing one.
      if (missing === undefined || !pattern.startsWith(`/${resource.plural}/{id}`)) continue;
      for (const headers of [{}, ...headersFor(known.etag)]) {
        const [one, other] = [await answerTo(known.id), await answerTo(missing)];
        expect([method, pattern, headers, one]).toEqual([method, pattern, headers, other]);
        async function answerTo(id: number) {
          const fresh = "idempotency-key" in headers ? { "idempotency-key": crypto.randomUUID() } : headers;
          const { status, text } = await call(method, pattern.replace("{id}", String(id)), bodies[0], fresh);
          return [status, text.replaceAll(/"requestId":"[^"]*"/g, "").replaceAll(new RegExp(`\\b${id}\\b`, "g"), "ID")];
        }
      }
    }
  }
  await allServed();
  for (const { what, end, isOwn } of streams) look(what, await end(), isOwn);
  return { leaks, called };
}

const valuesOf = (name: string, id: number): string[] =>
  ({
    limit: ["200"],
    sort: ["name", "-name", "size,-name", "-updatedAt", "-id", "relevance"],
    after: ["0"],
    before: ["99999"],
    version: ["1", "2", "3"],
    name: [marker],
    search: [marker],
    tags: [marker],
    size: ["7", "8"],
    minSize: ["0"],
    maxSize: ["100"],
    count: ["true"],
    parent: [String(id)],
    expand: ["parent"],
    updatedSince: ["2020-01-01"],
    type: ["project.*", "*.deleted", "task.praised"],
    resource: ["project", "note", "task"],
    id: [String(id)],
  })[name] ?? [marker];

const headersFor = (etag: string): Record<string, string>[] => [
  { "if-match": etag },
  { "if-match": '"0-x"' },
  { "if-match": "*" },
  { "if-none-match": etag },
  { "if-none-match": "*" },
  { "idempotency-key": `key-of-${marker}` },
  { "last-event-id": "0" },
];

const tenantB = (claims: Claims = {}) => tokenOf({ sub: "eve", org_id: "B", ...claims });

const others: readonly [string, typeof project | typeof note | typeof task, Claims, () => Promise<string>][] = [
  ["another tenant", project, { org_id: "A" }, () => tenantB()],
  ["an administrator of another tenant", project, { org_id: "A" }, () => tenantB({ scope: "admin" })],
  ["the same person in another tenant", project, { org_id: "A" }, () => tenantB({ sub: "ada" })],
  ["another owner", note, { org_id: "A" }, () => tenantB()],
  ["another owner with a token of the service", note, { org_id: "A" }, async () => "token-of-a-machine"],
  ["another owner of the same tenant", task, { org_id: "A" }, () => tenantB({ org_id: "A" })],
  ["the same person and owner in another tenant", task, { org_id: "A" }, () => tenantB({ sub: "ada" })],
  ["an administrator of another tenant, with owners", task, { org_id: "A" }, () => tenantB({ sub: "eve", scope: "admin" })],
];

// One of each resource in the fast tests.
describe.each(others.filter((_, index) => isInFull || [0, 3, 6].includes(index)))("%s (%#)", (_, resource, claims, token) => {
  test("sees and changes nothing, over all routes", async () => {
    const ada = sendAs(await tokenOf({ sub: "ada", ...claims }));
    const known = await fill(ada, resource, null);
    const before = (await ada("GET", `/${resource.plural}/${known.id}`)).text;
    expect(before).toContain(marker);

    const { leaks, called } = await callEverything(sendAs(await token()), resource, known, 424_242);
    expect(leaks).toEqual([]);
    expect(called).toBeGreaterThan(300);
    expect((await ada("GET", `/${resource.plural}/${known.id}`)).text).toBe(before);
    // The same search finds what is shown to whom it belongs to.
    const found = (await callEverything(ada, resource, known)).leaks.map((leak) => leak.replaceAll(/\d+|[:?].*/gs, ""));
    for (const path of ["", "/", "//history"]) expect(found).toContain(`GET /${resource.plural}${path}`);
    expect(found).toEqual(expect.arrayContaining(["GET /events", "GET /events/stream"]));
  }, 60_000);
});
