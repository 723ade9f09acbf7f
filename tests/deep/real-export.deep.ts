// bun run export and import, as processes, with resources of a project's own.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { openRecords } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import { command } from "../support/command";
import { forEachEngine, urlOf } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { depot, parcel } from "../support/parcels";
import { endWithTest, environment, eventually } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { withStore } from "../support/use-store";

// Processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let project: ReturnType<typeof copyProject>;
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(async () => {
  project = copyProject();
  folder = temporaryFolder();
  await Bun.write(join(project.path, "src/domain/parcel.ts"), Bun.file(join(import.meta.dir, "../support/parcels.ts")));
});
afterEach(() => {
  project.remove();
  folder.remove();
});

forEachEngine((placesIn) => {
  const placesOf = (name: string) => placesIn(join(folder.path, name));
  const envOf = (name: string) => ({ DATABASE_URL: urlOf(placesOf(name)) });
  const exported = (words: string[], name = "first") => command("export", words, envOf(name), project.path);
  const imported = (words: string[], lines: string, name = "first") => command("import", words, envOf(name), project.path, lines);
  const using = <T>(name: string, work: (store: Store) => Promise<T>) => withStore(placesOf(name), [depot, parcel], work);

  test("carry every record over, with its id, managed fields and exact numbers, and publish an event for each", async () => {
    await using("first", async (store) => {
      await store.insert(depot, { city: "Rome" });
      const numbers = Array.from({ length: 450 }, (_, index) => index + 1);
      await Promise.all(numbers.map((n) => store.insert(parcel, { code: `P${n}`, weight: n / 100, state: n % 2 ? "sent" : "waiting" })));
      await store.insert(parcel, { code: "tiny", weight: 5e-324, depot: 1 });
      await store.remove(parcel, 7);
      // While the API runs.
      const { code, stdout, stderr } = await exported(["parcel"]);
      expect([code, stdout.split("\n").length, stderr]).toEqual([0, 450, "Exported 450 records of parcel."]);
      expect(stdout).toContain('"weight":5e-324');
      const beside = await imported(["parcel"], stdout);
      if (placesOf("first").database.engine === "sqlite") expect(beside.stderr).toMatch(/^The API is running on .* POST \/parcels\/bulk/);
      else expect(beside).toMatchObject({ code: 0, stdout: "Created 0 records of parcel; 450 were there already." });
    });
    const depots = await exported(["depots"]);
    const parcels = await exported(["parcel"]);
    expect(await imported(["depot"], depots.stdout, "second")).toMatchObject({ code: 0, stdout: "Created 1 record of depot." });
    expect(await imported(["parcel"], parcels.stdout, "second")).toMatchObject({ code: 0, stdout: "Created 450 records of parcel." });
    const lines = (text: string) =>
      text.split("\n").map((line) => ({ ...(JSON.parse(line) as object), version: 0, createdAt: "", updatedAt: "" }));
    expect(lines((await exported(["parcel"], "second")).stdout)).toEqual(lines(parcels.stdout));
    await using("second", async (store) => {
      expect(await store.log.end()).toBe(451);
      expect((await store.insert(parcel, { code: "next", weight: 1 })).id).toBe(452);
    });
  });

  test("Ctrl+C, while the input is open, keeps what was read and says how to go on", async () => {
    const child = Bun.spawn([process.execPath, "--no-env-file", "src/commands/import.ts", "parcel"], {
      cwd: project.path,
      env: { PATH: process.env["PATH"] ?? "", ...envOf("first") },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    endWithTest(child);
    const lines = Array.from({ length: 700 }, (_, index) => `{"id":${index + 1},"code":"P${index}"}\n`);
    child.stdin.write(lines.join(""));
    await child.stdin.flush();
    await eventually(async () => {
      const records = await openRecords(placesOf("first")).catch(() => undefined);
      const last = await records?.lastId(parcel);
      records?.close();
      return last === 500 ? true : undefined;
    }, "the first commit");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    // The signal arrives during the first commit or after all lines are read.
    const [, count] =
      /^Stopped after line (500|700)\. Send the file again to continue; records with an id are not created twice\.\n$/.exec(
        await new Response(child.stderr).text(),
      ) ?? [];
    expect(await new Response(child.stdout).text()).toBe(`Created ${count} records of parcel.\n`);
    const again = await imported(["parcel"], `${lines.join("")}{"code":"last"}`);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`; ${count} were there already.`) });
    expect((await exported(["parcel"])).stdout.split("\n")).toHaveLength(701);
  });

  readsLines();

  test("without a database, there is nothing to export", async () => {
    const ended = await exported(["item"], "none");
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("There is no database")]);
  });

  function readsLines(): void {
    test("each line that fails is named with the reason, the others are created, and the file can be sent again", async () => {
      const lines = [
        '{"id":5,"code":"A","weight":2}',
        '{"code":"","weight":"x"}',
        "",
        "{nope",
        '{"code":"B","weight":101}',
        '{"code":"A"}',
        '{"code":"C","depot":9}',
        '{"code":"D","weight":0.1000000000000000055511151231257827}',
        '{"code":"E","colour":"red"}',
        '{"id":3,"code":"F"}',
        '{"id":5,"code":"G"}',
        `{"code":"${"x".repeat(1024 * 1024)}"}`,
        '{"id":9,"code":"H","state":"sent","label":"ignored","version":7}',
      ].join("\r\n");
      const first = await imported(["parcel"], lines);
      expect([first.code, first.stdout]).toEqual([1, "Created 3 records of parcel; 9 lines refused."]);
      expect(first.stderr.split("\n")).toEqual([
        "line 2: The line is not valid. /code: Expected string of at least 1 characters; /weight: Expected number",
        "line 4: The line is not valid JSON.",
        "line 5: The parcel is not valid. /weight: At most 100.",
        expect.stringMatching(/^line 6: .* \/code: /),
        expect.stringMatching(/^line 7: .* \/depot: /),
        expect.stringMatching(/^line 8: The line is not valid. \/weight: /),
        "line 9: The line is not valid. /colour: Unexpected property",
        "line 11: There is another parcel 5. Leave out `id` to get a new one.",
        "line 12: A record may have at most 1,048,576 bytes.",
      ]);
      const again = await imported(["parcel"], '{"id":5,"code":"A","weight":2}\n{"id":3,"code":"F"}\n{"code":"new"}');
      expect([again.code, again.stdout]).toEqual([0, "Created 1 record of parcel; 2 were there already."]);
      const { stdout } = await exported(["parcel"]);
      expect(stdout.split("\n").map((line) => JSON.parse(line) as object)).toMatchObject([
        { id: 3, code: "F", weight: 1, state: "waiting", label: "#F", version: 1 },
        { id: 5, code: "A" },
        { id: 9, code: "H", state: "sent", label: "#H", version: 1 },
        { id: 10, code: "new" },
      ]);
    });

    test("records that refer to each other, or to later ones, are created", async () => {
      const lines = [
        '{"id":1,"name":"Ada","friend":2}',
        '{"id":2,"name":"Bob","friend":1}',
        '{"id":3,"name":"Cid","friend":4}',
        '{"id":4,"name":"Dan"}',
        '{"id":5,"name":"Eve","friend":6}',
        '{"id":6,"name":"Fay","friend":99}',
        '{"id":7,"name":"!","friend":8}',
        '{"id":8,"name":"Gus","friend":7}',
      ].join("\n");
      const { code, stdout, stderr } = await imported(["person"], lines);
      expect([code, stdout]).toEqual([1, "Created 4 records of person; 4 lines refused."]);
      expect(stderr.split("\n").map((line) => line.slice(0, 7))).toEqual(["line 5:", "line 6:", "line 7:", "line 8:"]);
      const again = await imported(["person"], lines.replace("!", "Hal").replace("99", "1"));
      expect([again.code, again.stdout]).toEqual([0, "Created 4 records of person; 4 were there already."]);
    });

    test("an id of a deleted record is refused", async () => {
      await using("first", async (store) => {
        await store.insert(parcel, parcel.example);
        await store.remove(parcel, 1);
      });
      const { code, stderr } = await imported(["parcel"], '{"id":1,"code":"Z"}\n');
      expect([code, stderr]).toEqual([1, expect.stringContaining("line 1: A parcel 1 was deleted, and ids are not used again.")]);
    });
  }
});

test.each([
  ["export", [], 2, "Missing the name of a resource. Known: item, depot, parcel, person."],
  ["export", ["car"], 2, 'Unknown resource "car". Known: item, depot, parcel, person.'],
  ["export", ["item", "depot"], 2, 'Unexpected argument "depot".'],
  ["import", ["car"], 2, 'Unknown resource "car".'],
] as const)("%s %p exits with %i and says why", async (name, words, code, message) => {
  const ended = await command(name, words, environment(folder.path), project.path, "");
  expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
});
