// The property over the OpenAPI document, held against services that do not as their document says: each lie is found.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type OpenApi, operationsOf } from "./support/openapi";
import { Client } from "./support/openapi-answers";
import { Known } from "./support/openapi-known";
import { plans } from "./support/openapi-requests";

const number = { type: "integer", minimum: 1 };
const problem = { type: "object", required: ["status"], properties: { status: { type: "integer" } } };
const refused = { content: { "application/problem+json": { schema: problem } } };
const document: OpenApi = {
  paths: {
    "/things/{id}": {
      put: {
        parameters: [{ name: "id", in: "path", required: true, schema: number }],
        requestBody: { content: { "application/json": { schema: { type: "object", required: ["n"], properties: { n: number } } } } },
        responses: {
          200: {
            content: { "application/json": { schema: { type: "object", required: ["id"], properties: { id: number } } } },
            headers: { etag: { required: true, schema: { type: "string" } } },
          },
          204: {},
          400: refused,
          500: refused,
        },
      },
    },
  },
};

const json = (status: number, body: unknown, type = status < 400 ? "application/json" : "application/problem+json") =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers: { "content-type": type, etag: '"1"' } });
const good = () => json(200, { id: 1 });
const bad = () => json(400, { status: 400 });

/** Returns the mistakes that the first hundred requests to a service find. */
async function mistakes(answer: (valid: boolean) => Response): Promise<Set<string>> {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = (await request.json().catch(() => null)) as { n?: unknown } | null;
      const isNumber = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
      const id = new URL(request.url).pathname.slice("/things/".length);
      const known = /^application\/json *(;|$)/i.test(request.headers.get("content-type") ?? "");
      return answer(/^\d+$/.test(id) && isNumber(Number(id)) && isNumber(body?.n) && known);
    },
  });
  const client = new Client(server.url.origin, {}, new Known());
  const found = new Set<string>();
  for (const plan of fc.sample(plans(operationsOf(document)), { seed: 1, numRuns: 100 })) {
    const { mistake } = await client.send(plan);
    if (mistake) found.add(mistake.split("\n", 1)[0]?.replace(/^.*?: /, "") ?? "");
  }
  return found;
}

const lies: [string, (valid: boolean) => Response][] = [
  ["this status is not declared", () => json(404, { status: 404 })],
  ["a server error", () => json(500, { status: 500 })],
  ["what the document does not allow was taken", () => good()],
  ["what the document allows was refused", () => bad()],
  ["the media type text/html is not declared", (valid) => (valid ? json(200, { id: 1 }, "text/html") : bad())],
  ["the body is not JSON", (valid) => (valid ? json(200, "{") : bad())],
  ["/id must be >= 1", (valid) => (valid ? json(200, { id: 0 }) : bad())],
  ["the problem has another status", (valid) => (valid ? good() : json(400, { status: 401 }))],
  ["the header etag: it is missing", (valid) => (valid ? Response.json({ id: 1 }) : bad())],
];
test.each(lies)("%s", async (mistake, answer) => {
  expect(await mistakes(answer)).toContain(mistake);
});

test("of a service that does as its document says, nothing", async () => {
  expect(await mistakes((valid) => (valid ? good() : bad()))).toEqual(new Set());
});
