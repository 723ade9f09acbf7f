// testService() of warren/testing: the API of the project, for tests of its routes.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { testService } from "warren/testing";
import { temporaryFolder } from "./support/folder";

const sample = { name: "Sample Item", description: null, price: 9.99 };

test("serves the project's routes, each service with a store of its own", async () => {
  await using service = await testService();
  await using other = await testService();
  const { id } = await service.post("/items", sample);
  expect(await service.get(`/items/${id}`)).toMatchObject({ id: 1, ...sample });
  expect(await service.patch(`/items/${id}`, { price: null })).toMatchObject({ price: null, version: 2 });
  expect(await service.put(`/items/${id}`, sample)).toMatchObject({ price: 9.99, version: 3 });
  await service.delete(`/items/${id}`);
  expect(await service.status("GET", `/items/${id}`)).toBe(404);
  expect(await other.get("/items")).toMatchObject({ items: [] });
  expect(await (await service.fetch("/health/live", { headers: { accept: "application/json" } })).json()).toMatchObject({ status: "live" });
});

test("a refused request says why", async () => {
  await using service = await testService();
  expect(await service.status("POST", "/items", {})).toBe(422);
  await expect(service.post("/items", {})).rejects.toThrow(/POST \/items: 422 .*\/name/);
  await expect(service.delete("/items/1")).rejects.toThrow("404");
});

test("requests as an actor need its token and have its scope, and the actor is in the events", async () => {
  await using service = await testService();
  const [ada, reader, admin] = [service.as("ada"), service.as("eve", "read"), service.as("admin")];
  await ada.post("/items", sample);
  await service.patch("/items/1", { price: 1 });
  expect(await reader.get("/items/1")).toMatchObject({ price: 1 });
  expect(await reader.status("POST", "/items", sample)).toBe(403);
  expect(await ada.status("GET", "/dead-letters")).toBe(403);
  expect(await admin.status("GET", "/dead-letters")).toBe(200);
  const { events } = await admin.get<{ events: { event: { actor?: string } }[] }>("/events");
  expect(events.map(({ event }) => event.actor)).toEqual(["ada", undefined]);
});

test("nothing stays behind", async () => {
  const folder = temporaryFolder();
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder.path;
  try {
    const service = await testService();
    await service.post("/items", sample);
    expect(readdirSync(folder.path)).toHaveLength(1);
    await service.stop();
    expect(readdirSync(folder.path)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    folder.remove();
  }
});
