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
  await expect(service.post<object>("/items", {})).rejects.toThrow(/POST \/items: 422 .*\/name/);
  await expect(service.delete("/items/1")).rejects.toThrow("404");
});

test("a path has the types of its route, and one that is not known takes anything", async () => {
  await using service = await testService();
  const { id, name } = await service.post("/items", sample);
  const made: [number, string] = [id, name];
  const { price } = await service.patch(`/items/${id}`, { price: 5 });
  const changed: number | null = price;
  const { items } = await service.get(`/items?limit=${made.length}`);
  const names: string[] = items.map((item) => item.name);
  const path: string = `/items/${id}`;
  const known: Record<string, unknown> = await service.get(path);
  const { version } = await service.get<{ version: number }>(path);
  expect([made, changed, names, known["id"], version]).toEqual([[1, sample.name], 5, [sample.name], 1, 2]);
  // @ts-expect-error a price is a number
  await expect(service.post("/items", { name: "Lamp", price: "1" })).rejects.toThrow("/price");
  // @ts-expect-error a path with an id has the types of its route, too
  await expect(service.put(`/items/${id}`, { price: 1 })).rejects.toThrow("/name");
  await expect(service.post("/nothing", { price: "1" })).rejects.toThrow("404");
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
