// When `bun run start` trusts what `bun run build --start` has built: tests/deep/real-prepared-start.deep.ts starts it.
import { expect, test } from "bun:test";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../src/project/folder";
import { areCurrent, describeInputs, silentInputs } from "../src/project/prepared-start";
import { useFolder } from "./support/use-folder";

const folder = useFolder();
const long = new Date("2026-01-01T12:00:00.250Z");

/** Writes a file that was changed a long time ago. */
function oldFile(text: string): string {
  const path = join(folder.path, "old.ts");
  writeFileSync(path, text);
  utimesSync(path, long, long);
  return path;
}

const inputsOf = (path: string, readAt = Date.now()) => describeInputs(new Map([[path, readAt]]));

test("what was built is current until the content of a file changes", () => {
  const path = oldFile("before");
  const inputs = inputsOf(path);
  expect([inputs.files[0]?.changedAt, areCurrent(inputs)]).toEqual([long.getTime() / 1000 - 0.25, true]);
  writeFileSync(path, "behind");
  expect(areCurrent(inputs)).toBe(false);
  writeFileSync(path, "before");
  expect(areCurrent(inputs)).toBe(true);
  writeFileSync(path, "before all");
  expect(areCurrent(inputs)).toBe(false);
});

test("a file whose times are kept in whole seconds, as in an image, is not read", () => {
  const path = oldFile("before");
  const inputs = inputsOf(path);
  utimesSync(path, new Date("2026-01-01T12:00:00Z"), new Date("2026-01-01T12:00:00Z"));
  const wrongHash = { ...inputs, files: inputs.files.map((file) => ({ ...file, hash: "x" })) };
  expect(areCurrent(wrongHash)).toBe(true);
});

test("a file as new as the build is compared by its content, since it may change again in the same second", () => {
  const path = join(folder.path, "new.ts");
  writeFileSync(path, "before");
  const now = new Date();
  utimesSync(path, now, now);
  const inputs = inputsOf(path, now.getTime() + 1000);
  expect([inputs.files[0]?.changedAt, areCurrent(inputs)]).toEqual([null, true]);
  writeFileSync(path, "behind");
  utimesSync(path, now, now);
  expect(areCurrent(inputs)).toBe(false);
});

test("settings, and all files of the folders that are searched, count although no build need read them", () => {
  const names = silentInputs().map((path) => path.slice(projectFolder.length + 1));
  for (const name of ["package.json", "bun.lock", "tsconfig.json", "bunfig.toml", "routes/items.ts", "src/domain/item.ts"])
    expect(names).toContain(name);
});

test("a file that changed while the build ran is not what was built", () => {
  const path = join(folder.path, "new.ts");
  writeFileSync(path, "after");
  const began = Date.now() - 60_000;
  expect(areCurrent(inputsOf(path, began))).toBe(false);
});

test("another Bun, another place of the library or the project, and another file of routes/ need another build; a file that is gone is an error", () => {
  const path = oldFile("before");
  const inputs = inputsOf(path);
  expect(areCurrent({ ...inputs, bun: "1.4.4+0" })).toBe(false);
  for (const place of [0, 1]) expect(areCurrent({ ...inputs, folders: inputs.folders.with(place, "/elsewhere") })).toBe(false);
  expect(areCurrent({ ...inputs, names: [["items.ts", "orders.ts"], inputs.names[1] ?? null] })).toBe(false);
  rmSync(path);
  expect(() => areCurrent(inputs)).toThrow("ENOENT");
});
