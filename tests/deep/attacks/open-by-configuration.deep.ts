// Access that a configuration leaves open to a web page (DNS rebinding) and to clients behind a proxy.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { environment, root, run, startApi } from "../../support/processes";
import { useFolder } from "../../support/use-folder";

const folder = useFolder();

const env = (more: Record<string, string>) => ({ ...environment(folder.path), ...more });
const item = JSON.stringify({ name: "planted" });
/** As a page of evil.example sends it, whose name leads to the service now: for the browser it is of one origin. */
const rebound = {
  host: "evil.example:3000",
  origin: "http://evil.example:3000",
  "sec-fetch-site": "same-origin",
  "content-type": "application/json",
};
const post = (url: string, headers: Record<string, string>) => fetch(`${url}/items`, { method: "POST", body: item, headers });

test.each([{}, { API_TOKEN: "none" }, { API_TOKEN: "none", HOST: "0.0.0.0" }, { API_TOKEN: "none", TRUST_PROXY: "1" }])(
  "a page whose name leads to the service reaches nothing, with %j",
  async (more) => {
    const { url } = await startApi({ env: env(more) });
    const answers = [
      await post(url, rebound),
      await fetch(`${url}/items`, { headers: rebound }),
      await fetch(`${url}/events`, { headers: rebound }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([421, 421, 421]);
    expect(await (await fetch(`${url}/items`)).json()).toEqual({ items: [], next: null });
  },
);

test("TRUST_PROXY without a token does not start, though a proxy sends a local Host", async () => {
  const api = run(["src/main.ts"], { env: env({ TRUST_PROXY: "1" }) });
  expect(await api.exited).toBe(1);
  expect(api.stderr.join("\n")).toContain("TRUST_PROXY=1 means that clients reach the API through a proxy, so API_TOKEN is required");
});

test("an API that is open on purpose behind a proxy has a limit", async () => {
  const { url } = await startApi({ env: env({ TRUST_PROXY: "1", API_TOKEN: "none" }) });
  const answers = await Promise.all(
    Array.from({ length: 600 }, () => fetch(`${url}/items`, { headers: { "x-forwarded-for": "192.0.2.1" } })),
  );
  expect(answers.some(({ status }) => status === 429)).toBe(true);
});

test("the API of compose.yaml asks for a token, which it has made itself", async () => {
  const compose = readFileSync(`${root}/compose.yaml`, "utf8");
  const API_TOKEN = /API_TOKEN: \$\{API_TOKEN:-([^}]+)\}/.exec(compose)?.[1] ?? "";
  const api = await startApi({ env: env({ API_TOKEN, HOST: "0.0.0.0" }) });
  expect([(await post(api.url, rebound)).status, (await fetch(`${api.url}/items`)).status]).toEqual([401, 401]);
  const { file } = JSON.parse(await api.line("The API requires the token in this file")) as { file: string };
  const token = readFileSync(file, "utf8").trim();
  expect((await fetch(`${api.url}/items`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  expect([...api.stdout, ...api.stderr].join("\n")).not.toContain(token);
});
