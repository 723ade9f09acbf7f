// Installed packages run nothing by themselves.
import { expect, test } from "bun:test";
import packageJson from "../package.json";

test("no dependency may run a script when it is installed: Bun trusts some by default", () => {
  expect(packageJson.trustedDependencies).toEqual([]);
});
