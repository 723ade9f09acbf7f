// URLs of a broker that people copy into other programs as well.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "./support/processes";

const copied = ["*.md", ".env.example", "*.yaml", "src/config/config.ts", "docs/**/*.md", "deploy/**/*", "examples/**/*"];
// Whoever has tried an example has its packages, too.
const files = copied
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })])
  .filter((file) => !file.includes("node_modules/"));

test("none ends in a slash: many clients take that for a virtual host without a name, and amqplib alone for the default one", async () => {
  const found = await Promise.all(
    files.map(async (file) =>
      [...(await Bun.file(join(root, file)).text()).matchAll(/amqps?:\/\/[^\s`"'<>|…]+/g)].map(([url]) => [file, url]),
    ),
  );
  const urls = found.flat();
  expect(urls.length).toBeGreaterThan(5);
  expect(urls.filter(([, url]) => url?.endsWith("/"))).toEqual([]);
});
