// The path of a file in routes/ is the path of its URL; what cannot be mounted says why, and shows what can.
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Dependencies } from "warren/route";
import { findRouteFiles, loadRoutes, mountRoutes, RouterError } from "../src/routing/router";
import { root } from "./support/processes";
import { projectWith } from "./support/project";

/** The routes here ask nothing of them. */
const dependencies = {} as Dependencies;

let projects: { path: string; remove(): void }[] = [];
afterEach(() => {
  for (const project of projects) project.remove();
  projects = [];
});

async function routesWith(files: Readonly<Record<string, string>>): Promise<string> {
  const project = await projectWith(Object.fromEntries(Object.entries(files).map(([name, text]) => [`routes/${name}`, text])));
  projects.push(project);
  return join(project.path, "routes");
}

const hello = `import { Elysia } from "elysia";\nexport default () => new Elysia().get("", ({ path, params }) => ({ path, params: { ...params } }));\n`;
const named = (...names: string[]) => routesWith(Object.fromEntries(names.map((name) => [name, hello])));

async function load(files: Readonly<Record<string, string>>) {
  return mountRoutes(await loadRoutes(await routesWith(files)), dependencies);
}

/** The message of the RouterError that this rejects with. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(RouterError);
  return (error as RouterError).message;
}

describe("the path of a file", () => {
  test.each([
    ["items.ts", "/items"],
    ["index.ts", "/"],
    ["admin/index.ts", "/admin"],
    ["admin/users.ts", "/admin/users"],
    ["a/b/c/d.ts", "/a/b/c/d"],
    ["items/[id].ts", "/items/:id"],
    ["[tenant]/items/[id]/lines.ts", "/:tenant/items/:id/lines"],
    ["[tenant]/index.ts", "/:tenant"],
    ["dead-letters.ts", "/dead-letters"],
    ["v1.2/items.ts", "/v1.2/items"],
    ["page.tsx", "/page"],
  ])("%s is %s", async (file, path) => {
    expect(findRouteFiles(await named(file))).toEqual([{ file, path }]);
  });

  test("a name that begins with _ is left out, as a file and as a folder; so are types and other files", async () => {
    const folder = await named(
      "items.ts",
      "_draft.ts",
      "_shared/auth.ts",
      "admin/_draft.ts",
      "items.d.ts",
      "notes.md",
      "data.json",
      ".hidden.ts",
    );
    expect(findRouteFiles(folder).map(({ file }) => file)).toEqual(["items.ts"]);
  });

  test("an empty folder has no routes", async () => {
    expect(findRouteFiles(await named("_only.ts"))).toEqual([]);
  });

  test("a fixed name is mounted before a parameter, wherever it stands", async () => {
    const files = ["[tenant]/items.ts", "admin/items.ts", "admin/[page].ts", "admin/about.ts", "index.ts", "zoo.ts"];
    expect(findRouteFiles(await named(...files)).map(({ path }) => path)).toEqual([
      "/",
      "/admin/about",
      "/admin/items",
      "/admin/:page",
      "/zoo",
      "/:tenant/items",
    ]);
  });

  test.each(["with space.ts", "percent%20.ts", "[1st].ts", "[id.ts", "id].ts", "[...rest].ts", "käse.ts", "a/b c/d.ts", "q?.ts"])(
    "%p is refused, with good ones shown",
    async (file) => {
      const folder = await named(file);
      expect(() => findRouteFiles(folder)).toThrow(RouterError);
      expect(() => findRouteFiles(folder)).toThrow(`routes/${file}: "`);
      expect(() => findRouteFiles(folder)).toThrow("such as routes/items.ts or routes/items/[id].ts");
    },
  );
});

describe("a file answers at its own path", () => {
  test.each([
    ["index.ts", "/", {}],
    ["admin/index.ts", "/admin", {}],
    ["items/[id].ts", "/items/7", { id: "7" }],
    ["[tenant]/items.ts", "/acme/items", { tenant: "acme" }],
  ])("%s at %s", async (file, path, params) => {
    const app = await load({ [file]: hello });
    const answer = await app.handle(new Request(`http://test${path}`));
    expect([answer.status, await answer.json()]).toEqual([200, { path, params }] as never);
    expect((await app.handle(new Request("http://test/elsewhere/at/all"))).status).toBe(404);
  });

  test("a fixed name wins over a parameter", async () => {
    const text = (name: string) => `import { Elysia } from "elysia";\nexport default () => new Elysia().get("", () => "${name}");\n`;
    const app = await load({ "[page].ts": text("parameter"), "about.ts": text("about") });
    const at = async (path: string) => (await app.handle(new Request(`http://test${path}`))).text();
    expect([await at("/about"), await at("/other")]).toEqual(["about", "parameter"]);
  });

  test("every file is handed the dependencies", async () => {
    const given: unknown[] = [];
    const folder = await named("a.ts", "b.ts");
    const routes = (await loadRoutes(folder)).map((loaded) => ({
      ...loaded,
      route: (dependencies: Dependencies) => {
        given.push(dependencies);
        return loaded.route(dependencies);
      },
    }));
    mountRoutes(routes, dependencies);
    expect(given).toEqual([dependencies, dependencies]);
    expect(given[0]).toBe(dependencies);
  });
});

describe("two files for one path", () => {
  test.each([
    ["items.ts", "items/index.ts", "/items"],
    ["items.ts", "items.tsx", "/items"],
    ["[id].ts", "[name].ts", "/:name"],
    ["[a]/x.ts", "[b]/x.ts", "/:b/x"],
  ])("%s and %s are refused, and both are named", async (one, other, path) => {
    const folder = await named(one, other);
    expect(() => findRouteFiles(folder)).toThrow(RouterError);
    expect(() => findRouteFiles(folder)).toThrow(
      `Two files have the same path: routes/${[one, other].sort()[0]} and routes/${[one, other].sort()[1]} both map to ${path}. Delete one of them, or start its name with _`,
    );
  });

  const crud = `import { Elysia } from "elysia";\nexport default () => new Elysia().get("", () => "list").get("/:id", () => "one").put("/:id", () => "put");\n`;

  test("are refused as well when one reaches it by a route inside the file", async () => {
    const message = await refusal(load({ "items.ts": crud, "items/[id].ts": hello }));
    expect(message).toContain("routes/items.ts");
    expect(message).toContain("routes/items/[id].ts");
    expect(message).toContain("GET /items/:id");
  });

  test("are distinguished by the method", async () => {
    const app = await load({
      "items.ts": crud,
      "items/[id].ts": `import { Elysia } from "elysia";\nexport default () => new Elysia().post("", () => "post");\n`,
    });
    const answer = await app.handle(new Request("http://test/items/1", { method: "POST" }));
    expect(await answer.text()).toBe("post");
  });

  test("a parameter with two names at one place is refused, and both files are named", async () => {
    const message = await refusal(load({ "[tenant]/items.ts": hello, "[user]/orders.ts": hello }));
    expect(message).toContain("routes/[tenant]/items.ts");
    expect(message).toContain("routes/[user]/orders.ts");
  });
});

describe("a file that is not a route", () => {
  test.each([
    ["no default export", "export const route = () => {};", "it has no default export"],
    ["nothing at all", "export {};", "it has no default export"],
    [
      "an Elysia instance",
      `import { Elysia } from "elysia";\nexport default new Elysia();`,
      "its default export is an Elysia instance, not a function",
    ],
    ["a text", `export default "hello";`, "its default export is a string, not a function"],
    ["null", "export default null;", "its default export is null, not a function"],
    ["a function of nothing", "export default () => {};", "its default export returns undefined, not an Elysia instance"],
    [
      "a function of an object",
      "export default () => ({ get() {} });",
      "its default export returns an object (Object), not an Elysia instance",
    ],
    [
      "an asynchronous function",
      `import { Elysia } from "elysia";\nexport default async () => new Elysia();`,
      "its default export returns an object (Promise), not an Elysia instance",
    ],
  ])("%s: is named, with what is wrong and a correct example", async (_, text, mistake) => {
    const message = await refusal(load({ "good.ts": hello, "admin/bad.ts": text }));
    expect(message).toStartWith(`routes/admin/bad.ts is not a route: ${mistake}. A route file looks like this:\n`);
    expect(message).not.toContain("good.ts");
  });

  test.each(["bad.ts", "a/b/bad.ts"])("the example for routes/%s works as it stands", async (file) => {
    const message = await refusal(load({ [file]: "export {};" }));
    const example = message
      .split("\n")
      .filter((line) => line.startsWith("  "))
      .join("\n");
    // As the alias of a project says.
    const app = await load({ [file]: example.replace("warren/route", join(root, "src/public/route")) });
    const answer = await app.handle(new Request(`http://test/${file.replace(".ts", "")}`));
    expect([answer.status, await answer.text()]).toEqual([200, "Hello"]);
    expect(example).toContain(`// GET /${file.replace(".ts", "")}`);
  });
});
