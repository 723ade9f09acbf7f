// The API as a process, with an issuer of tokens: from the environment to the event, the audit and the log.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { audience, type TestIssuer, testIssuer } from "../support/issuer";
import { endAll, environment, eventually, startApi } from "../support/processes";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let issuer: TestIssuer;
beforeEach(async () => {
  folder = temporaryFolder();
  issuer = await testIssuer("RS256");
});
afterEach(async () => {
  await endAll();
  await issuer.stop();
  folder.remove();
});

test("a JWT is enough to reach the API, starts without the issuer, and recovers with it", async () => {
  await issuer.stop();
  const env = { ...environment(folder.path), AUTH_ISSUER: issuer.url, AUTH_AUDIENCE: audience };
  const api = await startApi({ env });
  const token = await issuer.sign({ sub: "ada" });
  const post = (authorization: string) =>
    fetch(`${api.url}/items`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ name: "Sample" }),
    });
  expect((await post("")).status).toBe(401);
  const away = await post(`Bearer ${token}`);
  expect([away.status, away.headers.get("retry-after")]).toEqual([503, "5"]);

  issuer.start();
  const created = await eventually(async () => {
    const response = await post(`Bearer ${token}`);
    return response.status === 201 ? response : undefined;
  }, "the issuer to be found");
  expect(created.headers.get("location")).toBe("/items/1");
  const events = await fetch(`${api.url}/events`, { headers: { authorization: `Bearer ${token}` } });
  expect(await events.json()).toMatchObject({ events: [{ event: { type: "item.created", actor: "ada" } }] });
  // A head of more than 16 KiB is Bun's to refuse, and the next request is served.
  const huge = await post(`Bearer ${await issuer.sign({ padding: "x".repeat(20_000) })}`).catch(() => undefined);
  expect([undefined, 431]).toContain(huge?.status);
  expect((await post(`Bearer ${token}`)).status).toBe(201);
  const output = [...api.stdout, ...api.stderr].join("\n");
  expect(output).toContain("Cannot fetch the keys of AUTH_ISSUER");
  expect(output).not.toContain(token);
});
