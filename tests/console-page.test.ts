// The files of the console's page, from the sources.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openApi, type TestApi } from "./support/api";

/** Script and styles together, compressed. */
const mostBytes = 60_000;

let api: TestApi;
beforeAll(() => {
  api = openApi({ config: { apiTokens: [{ token: "admin-token", scope: "admin" }] } });
});
afterAll(() => api.close());

const get = (path: string, headers = {}) => api.app.handle(new Request(`http://test${path}`, { headers }));
const linksOf = (html: string) => [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link = ""]) => link);

test("the page needs no token, and links only to files beside it", async () => {
  const { status, text, headers } = await api.send("GET", "/console/");
  expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(linksOf(text).length).toBe(3);
  for (const link of linksOf(text)) expect(link).toMatch(/^\.\/[\w.-]+$/);
});

test("its policy allows its own files and nothing else", async () => {
  const policy = (await api.send("GET", "/console/")).headers.get("content-security-policy") ?? "";
  expect(policy).toStartWith(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; img-src 'self';",
  );
  expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'");
  expect(policy).not.toMatch(/unsafe|data:|\*/);
});

test("without the slash at the end, it leads to the folder, below any path", async () => {
  const { status, headers } = await api.send("GET", "/console");
  expect([status, headers.get("location")]).toEqual([302, "console/"]);
});

test("its script and styles are small, and kept by the browser", async () => {
  const links = linksOf((await api.send("GET", "/console/")).text).map((link) => link.slice(2));
  let total = 0;
  for (const link of links) {
    const answer = await get(`/console/${link}`, { "accept-encoding": "gzip" });
    expect([link, answer.status, answer.headers.get("cache-control")]).toEqual([link, 200, "max-age=31536000, immutable"]);
    if (/\.(js|css)$/.test(link)) total += (await answer.bytes()).length;
  }
  expect(total).toBeGreaterThan(5000);
  expect(total).toBeLessThan(mostBytes);
});

test("its fonts are files, and other names are not", async () => {
  for (const font of ["geist.woff2", "geist-mono.woff2"]) {
    const answer = await get(`/console/${font}`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "font/woff2"]);
    expect(new TextDecoder().decode((await answer.bytes()).slice(0, 4))).toBe("wOF2");
  }
  for (const other of ["nothing.js", "..%2fpackage.json", "index.html"])
    expect((await api.send("GET", `/console/${other}`)).status).toBe(404);
});
