// bun run timers: lists, shows and cancels the events to publish later, whether or not the API runs.
import { afterEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { ChangesServer } from "../../src/changing/serve";
import type { ShownTimer } from "../../src/delivery/shown-timers";
import { fileOfApi } from "../../src/store/open";
import { command, onTerminal } from "../support/command";
import { environmentOf, forEachEngine } from "../support/engines";
import { useStore } from "../support/use-store";

const loan = defineResource({
  name: "loan",
  fields: { book: Type.String() },
  events: { reminded: { text: Type.String() }, overdue: {} },
  example: { book: "Emma" },
});
const thing = defineResource({ name: "thing", fields: { name: Type.String() }, example: { name: "x" } });

forEachEngine((placesIn) => {
  let api: ChangesServer | undefined;
  afterEach(async () => {
    await api?.stop();
    api = undefined;
  });
  const { store, places, reopen, open } = useStore(placesIn, [loan]);
  const timers = async (...words: string[]) => {
    const { code, stdout, stderr } = await command("timers", words, environmentOf(places()));
    const lines = stdout === "" ? [] : stdout.split("\n").map((line) => JSON.parse(line) as ShownTimer);
    return { code, lines, stderr, numbers: lines.map(({ number }) => number) };
  };
  const fill = async () => {
    const later = [
      { event: "overdue", at: "2039-01-03T00:00:00Z", key: "late:1" },
      { event: "reminded", at: "2039-01-01T00:00:00Z", data: { text: "Soon\u001b[31m" } },
    ] as const;
    await store.insert(loan, { book: "Emma" }, { later, actor: { subject: "ada", scopes: [] } });
    await store.insert(loan, { book: "Persuasion" }, { later: [{ event: "overdue", at: "2039-01-02T00:00:00Z" }] });
  };

  test("lists and shows them as lines of JSON, by resource, record and key, in pages", async () => {
    await fill();
    const all = await timers("list");
    expect([all.code, all.stderr, all.numbers]).toEqual([0, "", [2, 3, 1]]);
    expect(all.lines[0]).toEqual({
      ...{ number: 2, type: "loan.reminded", id: 1, dueAt: "2039-01-01T00:00:00.000Z", key: null, data: { text: "Soon\u001b[31m" } },
      ...{ actor: "ada", cause: null, problem: null },
    });
    expect((await timers("list", "--resource", "loan", "--id", "1")).numbers).toEqual([2, 1]);
    expect((await timers("list", "--key", "late:1", "--json")).numbers).toEqual([1]);
    expect((await timers("list", "--problem")).numbers).toEqual([]);
    const first = await timers("list", "--resource", "loan", "--limit", "2");
    expect(first.numbers).toEqual([2, 3]);
    const words = /^Next page: bun run timers (.*)$/.exec(first.stderr)?.[1]?.split(" ") ?? [];
    expect(words.slice(0, 6)).toEqual(["list", "--resource", "loan", "--limit", "2", "--after"]);
    expect(await timers(...words)).toMatchObject({ code: 0, numbers: [1], stderr: "" });
    expect(await timers("show", "2")).toMatchObject({ code: 0, lines: [all.lines[0]] });
    expect(await timers("show", "9")).toMatchObject({ code: 1, stderr: expect.stringContaining("There is no timer 9.") });
  });

  test("cancels them, also while the API runs", async () => {
    await fill();
    const file = fileOfApi(places());
    if (file !== undefined) api = new ChangesServer(store, [loan], file);
    expect(await timers("cancel", "2", "9")).toMatchObject({ code: 1, stderr: expect.stringContaining("no timer 9") });
    expect(await timers("cancel", "2")).toMatchObject({ code: 0, numbers: [2] });
    await api?.stop();
    api = undefined;
    await store.close();
    expect(await timers("cancel", "--key", "late:1")).toMatchObject({ code: 0, numbers: [1] });
    expect(await timers("cancel", "--key", "late:1")).toMatchObject({ code: 1, stderr: expect.stringContaining("Nothing was cancelled") });
    expect(await timers("cancel", "--resource", "loan")).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    expect((await timers("list")).numbers).toEqual([3]);
    expect(await timers("cancel", "--resource", "loan", "--yes")).toMatchObject({ code: 0, numbers: [3] });
    expect((await timers("list")).numbers).toEqual([]);
    await open();
  });

  test("those that cannot be published, with the reason", async () => {
    await fill();
    await reopen([thing]);
    await store.timers.fire(await store.timers.due(Date.UTC(2039, 0, 2), 10));
    const { lines } = await timers("list", "--problem");
    expect(lines).toMatchObject([2, 3].map((number) => ({ number, problem: expect.stringContaining('no resource "loan"') })));
  });

  test("for a person, on a terminal", async () => {
    await fill();
    await store.update(loan, 2, (now) => now, { later: [{ event: "overdue", at: "2025-01-01T00:00:00Z" }] });
    const env = environmentOf(places());
    const list = onTerminal("timers", ["list"], env, 120);
    expect(await list.exited).toBe(0);
    const text = Bun.stripANSI(list.text());
    expect(text).toMatch(/TIMER +DUE +IN +EVENT +RECORD +KEY/);
    expect(text).toMatch(/4 +2025-01-01 00:00:00 \+00:00 +\d+ days late +loan\.overdue +2/);
    expect(text).toMatch(/1 +2039-01-03 00:00:00 \+00:00 +[\d,]+ days +loan\.overdue +1 +late:1/);
    const show = onTerminal("timers", ["show", "2"], env);
    expect(await show.exited).toBe(0);
    expect(Bun.stripANSI(show.text())).toMatch(
      /Timer 2\s+Event +loan\.reminded\s+Record +1\s+Due +2039-01-01 .*\(in .* days\)\s+Key +none\s+Set by +ada/,
    );
    await store.close();
    const cancel = onTerminal("timers", ["cancel", "--id", "2"], env);
    await cancel.until(/Cancel the events to publish later with id 2\? \[y\/N\]/);
    cancel.type("y\r");
    expect(await cancel.exited).toBe(0);
    expect(cancel.text()).toContain("Cancelled 2 timers.");
    await open();
  });
});

test("refuses what it does not understand", async () => {
  const timers = async (...words: string[]) => {
    const { code, stderr } = await command("timers", words, { DATABASE_URL: "sqlite:/nowhere/warren.db" });
    return [code, stderr.split("\n")[0]];
  };
  expect(await timers("stop")).toEqual([2, 'Unknown command "stop".']);
  expect(await timers("list", "--yes")).toEqual([2, "list does not accept --yes."]);
  expect(await timers("show", "x")).toEqual([2, "show x: use a whole number of 1 or more."]);
  expect(await timers("cancel", "1", "--key", "a")).toEqual([2, "Numbers cannot be combined with filters."]);
  expect(await timers("list")).toEqual([1, expect.stringContaining("There is no event log in /nowhere/warren.db yet.")]);
});
