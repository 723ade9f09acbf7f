// Images are pinned by digest, and contain the version of Bun that the tests run with.
import { expect, test } from "bun:test";
import { join } from "node:path";
import packageJson from "../package.json";
import { root } from "./support/processes";

test("every image of another publisher is pinned by digest", async () => {
  const texts = await Promise.all(["Dockerfile", "compose.yaml", "compose.cluster.yaml"].map((name) => Bun.file(join(root, name)).text()));
  const images = texts.flatMap((text) => [...text.matchAll(/^(?:FROM|\s+image:) (\S+)/gm)].map(([, image = ""]) => image));
  expect(images.length).toBe(6);
  for (const image of images) expect(image).toMatch(/^[a-z/]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
});

test("the image has the Bun of package.json", async () => {
  const version = packageJson.packageManager.replace("bun@", "");
  expect(await Bun.file(join(root, "Dockerfile")).text()).toContain(`npm install -g bun@${version} `);
});
