// bun run schedules: lists, shows and removes the schedules of consumers, whether or not the API runs; so does bun run queues remove.
import { afterEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { ChangesServer } from "../../src/changing/serve";
import { consumerStores, fileOfApi } from "../../src/store/open";
import type { ShownSchedule } from "../../src/store/schedule-times";
import { command } from "../support/command";
import { environmentOf, forEachEngine } from "../support/engines";
import { useStore } from "../support/use-store";

const loan = defineResource({ name: "loan", fields: { book: Type.String() }, example: { book: "Emma" } });

forEachEngine((placesIn) => {
  let api: ChangesServer | undefined;
  afterEach(async () => {
    await api?.stop();
    api = undefined;
  });
  const { store, places, reopen, open } = useStore(placesIn, [loan]);
  const schedules = (...words: string[]) => command("schedules", words, environmentOf(places()));
  const announce = (queue: string) =>
    store.schedules.announce({ queue, pattern: "0 9 * * 1", timeZone: "Europe/London", missed: "skip", overlap: true });
  const names = async () => (await store.schedules.list()).map(({ queue }) => queue);

  test("lists and shows them", async () => {
    expect(await schedules("list")).toMatchObject({
      code: 0,
      stdout: "No schedules found. A consumer announces its schedule when it starts.",
    });
    await announce("weekly");
    const { stdout } = await schedules("list", "--json");
    const [shown, ...rest] = (JSON.parse(stdout) as { schedules: ShownSchedule[] }).schedules;
    expect(rest).toEqual([]);
    expect(shown).toMatchObject({
      id: 1,
      name: "weekly",
      schedule: "0 9 * * 1",
      missed: "skip",
      overlap: true,
      state: "waiting",
      lastEvent: null,
    });
    expect(JSON.parse((await schedules("show", "weekly", "--json")).stdout)).toEqual(shown);
    const text = (await schedules("show", "weekly")).stdout;
    expect(text).toMatch(/Schedule weekly\n +Pattern +0 9 \* \* 1 in Europe\/London\n +State +waiting\n +Next +/);
    expect((await schedules("list")).stdout).toMatch(/^NEXT .*\n.* waiting +0 9 \* \* 1 +Europe\/London +weekly$/);
  });

  test.each(["list x", "show", "remove", "", "forget x", "show a b"])("%p is wrong usage", async (words) => {
    expect((await schedules(...words.split(" ").filter(Boolean))).code).toBe(2);
  });

  test("removes one while the API runs, and while it does not", async () => {
    await announce("weekly");
    await announce("other");
    const file = fileOfApi(places());
    if (file !== undefined) api = new ChangesServer(store, [loan], file);
    expect(await schedules("remove", "weekly")).toMatchObject({ code: 0, stdout: 'The schedule "weekly" was removed.' });
    expect(await names()).toEqual(["other"]);
    expect(await schedules("remove", "weekly")).toMatchObject({ code: 1, stderr: 'There is no schedule "weekly". Known: other.' });
    await api?.stop();
    api = undefined;
    await store.close();
    expect(await schedules("remove", "other")).toMatchObject({ code: 0 });
    await open();
    expect(await names()).toEqual([]);
  });

  test("goes with the queue of its consumer", async () => {
    await announce("weekly");
    const consumers = consumerStores(places());
    const own = await consumers.open("weekly", { durable: false });
    await own.begin(store.logId, 0, ["schedule.due"]);
    await own.close();
    await consumers.close();
    await reopen();
    const file = fileOfApi(places());
    if (file !== undefined) api = new ChangesServer(store, [loan], file);
    expect(await command("queues", ["remove", "weekly", "--yes"], environmentOf(places()))).toMatchObject({ code: 0 });
    expect(await names()).toEqual([]);
  });
});
