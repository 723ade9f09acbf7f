import { beforeEach, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DisabledSubscriptions } from "../src/webhook/disabled";
import { useFolder } from "./support/use-folder";

const crm = { name: "crm", entry: "one" };

const folder = useFolder();
let disabled: DisabledSubscriptions;
beforeEach(() => {
  disabled = new DisabledSubscriptions(join(folder.path, "consumers"));
});

test("a subscription is not disabled to begin with", () => {
  expect(disabled.get(crm)).toBeUndefined();
});

test("it stays disabled for every process on this folder, and no other one is", () => {
  expect(disabled.disable(crm, "2026-01-02T00:00:00.000Z")).toBe(true);
  const other = new DisabledSubscriptions(join(folder.path, "consumers"));
  expect(other.get(crm)?.since).toBe("2026-01-02T00:00:00.000Z");
  expect(other.get({ name: "search", entry: "one" })).toBeUndefined();
  expect(readdirSync(join(folder.path, "consumers"))).toEqual(["webhook.crm.disabled"]);
});

test("it remembers the earliest event that was not delivered", () => {
  disabled.disable(crm, "2026-01-02T00:00:00.000Z");
  expect(disabled.disable(crm, "2026-01-03T00:00:00.000Z")).toBe(false);
  expect(disabled.disable(crm, "2026-01-01T00:00:00.000Z")).toBe(false);
  expect(disabled.get(crm)?.since).toBe("2026-01-01T00:00:00.000Z");
});

test("another entry of the same name is enabled, and can be disabled in its turn", () => {
  disabled.disable(crm, "2026-01-02T00:00:00.000Z");
  const changed = { name: "crm", entry: "two" };
  expect(disabled.get(changed)).toBeUndefined();
  expect(disabled.disable(changed, "2026-01-05T00:00:00.000Z")).toBe(true);
  expect(disabled.get(changed)?.since).toBe("2026-01-05T00:00:00.000Z");
});

test("it can be enabled again, however often", () => {
  disabled.disable(crm, "2026-01-02T00:00:00.000Z");
  disabled.enable("crm");
  disabled.enable("crm");
  expect(disabled.get(crm)).toBeUndefined();
});

test("a file that cannot be read disables nothing", () => {
  disabled.disable(crm, "2026-01-02T00:00:00.000Z");
  writeFileSync(join(folder.path, "consumers", "webhook.crm.disabled"), '{"since');
  expect(disabled.get(crm)).toBeUndefined();
  expect(disabled.disable(crm, "2026-01-03T00:00:00.000Z")).toBe(true);
});
