// A schema that was changed, and the records that an older one has taken.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { checkStoredRecords } from "../src/engine/stored-records";
import { Catalogue } from "../src/schema/catalogue";
import { defineResource } from "../src/schema/define-resource";
import { pastVersion } from "../src/schema/past-version";
import type { Resource } from "../src/schema/resource";
import { openStore } from "../src/store/open";
import { forEachEngineInFull, type Places } from "./support/engines";
import { evaluateIn } from "./support/evaluate-in";
import { temporaryFolder } from "./support/folder";
import { recordedLog } from "./support/recorded-log";

const text = { title: Type.String() };
const before = defineResource({ name: "note", fields: text, example: { title: "a" } });
const stricter = defineResource({ name: "note", fields: { title: Type.String({ minLength: 1 }) }, example: { title: "a" } });
const mended = defineResource({
  name: "note",
  fields: stricter.fields.properties as { title: typeof text.title },
  example: { title: "a" },
  past: [pastVersion({ fields: text, up: ({ title }) => ({ title: title === "" ? "untitled" : title }) })],
});

forEachEngineInFull((placesIn) => {
  let folder: ReturnType<typeof temporaryFolder>;
  let places: Places;
  beforeEach(() => {
    folder = temporaryFolder();
    places = placesIn(folder.path);
  });
  afterEach(() => folder.remove());

  async function store(resource: Resource, titles: readonly string[]): Promise<void> {
    const opened = await openStore(places, [resource]);
    await opened.checkRecords(() => {});
    await opened.insertAll(
      resource,
      titles.map((title) => ({ title })),
      () => "",
    );
    await opened.close();
  }

  /** Starts as the API does; returns what is in the log. */
  async function start(onInvalid: "refuse" | "warn", ...resources: Resource[]) {
    const { log, lines } = recordedLog();
    const opened = await openStore(places, new Catalogue(resources).resources);
    try {
      await checkStoredRecords(opened, onInvalid, log);
    } finally {
      await opened.close();
    }
    return lines.map(({ level, msg }) => ({ level, msg }));
  }

  /** Returns the number of records that a start reads. */
  async function checkedAtStart(resource: Resource): Promise<number> {
    const parse = JSON.parse;
    let count = 0;
    JSON.parse = (json: string) => {
      if (json.startsWith('{"id"')) count += 1;
      return parse(json);
    };
    try {
      await start("warn", resource);
    } finally {
      JSON.parse = parse;
    }
    return count;
  }

  describe("records that the schema refuses now", () => {
    test("keep the API from starting: they are named, and what would mend them", async () => {
      await store(before, ["a", "", "b", ""]);
      const started = start("refuse", stricter);
      await expect(started).rejects.toThrow(
        "Stored records do not match their schema, so every event of them would become a dead letter:\n" +
          "  note 2: /title: Expected string of at least 1 characters\n" +
          "  note 4: /title: Expected string of at least 1 characters\n" +
          "If the schema has changed, add the previous schema to `past`",
      );
      await expect(started).rejects.toThrow("use `bun run dev`, which starts and only warns about this.");
    });

    test("are a warning for a person who is in the middle of a change, at each start until they are mended", async () => {
      await store(before, ["a", ""]);
      for (let n = 0; n < 2; n += 1) {
        const [line, ...others] = await start("warn", stricter);
        expect([line?.level, others]).toEqual(["warn", []]);
        expect(line?.msg).toContain("\n  note 2: /title: Expected string of at least 1 characters\nIf the schema has changed,");
        expect(line?.msg).toContain("`bun run start` refuses to start until this is fixed.");
      }
      const opened = await openStore(places, [stricter]);
      await opened.update(stricter, 2, () => ({ title: "mended" }));
      await opened.close();
      expect(await start("refuse", stricter)).toEqual([]);
    });

    test("are mended by an upcaster", async () => {
      await store(before, ["a", ""]);
      expect(await start("refuse", mended)).toEqual([]);
      expect(await checkedAtStart(mended)).toBe(0);
    });

    test("are looked for no further than needed to see what is wrong", async () => {
      await store(
        before,
        Array.from({ length: 5000 }, () => ""),
      );
      expect(await checkedAtStart(stricter)).toBe(5);
      await expect(start("refuse", stricter)).rejects.toThrow('\n  and possibly more records of "note"\n');
    });

    test("in one of several resources: each is reported", async () => {
      const other = (title: typeof text.title) => defineResource({ name: "memo", fields: { title }, example: { title: "a" } });
      await store(before, [""]);
      await store(other(Type.String()), ["", "x"]);
      await expect(start("refuse", stricter, other(Type.String({ pattern: "^a" })) as Resource)).rejects.toThrow(
        /note 1: .*\n {2}memo 1: .*\n {2}memo 2: /,
      );
    });

    test("also those that some other program wrote, or that a reader would round", async () => {
      await store(before, ["a", "b"]);
      await evaluateIn(places, `UPDATE notes SET json = replace(json, '"b"', '"b\\u0000"')`);
      await expect(start("refuse", stricter)).rejects.toThrow("note 2: /title: Expected string without NUL or lone surrogates");
    });
  });

  describe("records that are valid", () => {
    const described = defineResource({ name: "note", fields: { title: Type.String({ description: "Any." }) }, example: { title: "a" } });
    test("are checked once for a schema, and no more when that changes only what describes", async () => {
      await store(
        before,
        Array.from({ length: 2500 }, (_, n) => `note ${n}`),
      );
      expect(await checkedAtStart(before)).toBe(0);
      expect(await checkedAtStart(described)).toBe(0);
      expect(await checkedAtStart(stricter)).toBe(2500);
      expect(await checkedAtStart(stricter)).toBe(0);
    });

    test("of a database from before that was noted are checked at the first start", async () => {
      await store(before, ["a", "b"]);
      await evaluateIn(places, "DELETE FROM warren_record_checks");
      expect(await checkedAtStart(before)).toBe(2);
      expect(await checkedAtStart(before)).toBe(0);
    });

    test("are counted in the log while it takes long", async () => {
      await store(
        before,
        Array.from({ length: 2500 }, () => "a"),
      );
      const { now } = performance;
      let time = 0;
      performance.now = () => {
        time += 1500;
        return time;
      };
      try {
        const lines = await start("refuse", stricter);
        expect(lines).toContainEqual({ level: "info", msg: 'Checking the records of "note", whose schema has changed: 2000 so far' });
        const counts = lines.map(({ msg }) => Number(/: (\d+) so far$/.exec(msg)?.[1]));
        expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
      } finally {
        performance.now = now;
      }
    });
  });
});
