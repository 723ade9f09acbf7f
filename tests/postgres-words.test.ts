// Words of a search on PostgreSQL: the same ones that SQLite's search has.
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { entriesOf } from "../src/store/postgres/slots/slot-entries";
import { wordsIn } from "../src/store/postgres/slots/words";

let db: Database;
beforeAll(() => {
  db = new Database(":memory:");
  db.run("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize='unicode61 remove_diacritics 2')");
  db.run("CREATE VIRTUAL TABLE words USING fts5vocab(texts, 'instance')");
});
afterAll(() => db.close());

/** Returns the words that SQLite finds in each of some texts. */
function wordsOfSqlite(texts: readonly string[]): string[][] {
  db.run("DELETE FROM texts");
  const insert = db.prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)");
  db.transaction(() => {
    for (const [index, text] of texts.entries()) insert.run(index + 1, text);
  })();
  const words: string[][] = texts.map(() => []);
  const found = db.query<{ term: string; doc: number }, []>("SELECT term, doc FROM words ORDER BY doc, offset").all();
  for (const { term, doc } of found) words[doc - 1]?.push(term);
  return words;
}

test.each([
  ["Latin, Greek and Cyrillic", 1, 0x52f, [0x1e0, 0x1e1, 0x37f, 0x528, 0x52a, 0x52c, 0x52e]],
  ["Armenian, Hebrew and Arabic", 0x530, 0x7bf, [0x58d, 0x58e, 0x605, 0x61c, 0x61d]],
  ["Thai and Lao", 0xe00, 0xeff, [0xeba, 0xece]],
  ["Hangul letters", 0x1100, 0x11ff, []],
  ["more Latin and Greek", 0x1e00, 0x1fff, [0x1e9b]],
  [
    "punctuation, symbols and arrows",
    0x2000,
    0x22ff,
    [0x2066, 0x2067, 0x2068, 0x2069, 0x20ba, 0x20bb, 0x20bc, 0x20bd, 0x20be, 0x20bf, 0x20c0, 0x20c1, 0x218a, 0x218b],
  ],
  ["Chinese and Japanese", 0x3000, 0x4fff, [0x31e4, 0x31e5, 0x31ef, 0x32ff]],
  ["Hangul", 0xac00, 0xafff, []],
  ["full width", 0xff00, 0xffef, []],
  ["faces", 0x1f600, 0x1f640, []],
])("%s: each character has its place in words, but those newer than the table of SQLite", (_, first, last, newer) => {
  const points = Array.from({ length: last - first + 1 }, (__, index) => first + index);
  const texts = points.map((point) => `a${String.fromCodePoint(point)}B`);
  const expected = wordsOfSqlite(texts);
  const different = points.filter((__, index) => !Bun.deepEquals(wordsIn(texts[index] as string), expected[index]));
  expect(different).toEqual([...newer]);
});

test("texts have the same words, in the same order", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "B", "ß", "É", "e\u0301", "σ", "ς", "Σ", "中", "7", "_", "-", " ", "'", "☃", "\u0301", "İ", "ı", "ﬁ"),
  });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
      expect(texts.map(wordsIn)).toEqual(wordsOfSqlite(texts));
    }),
    { numRuns: 100 },
  );
});

test("a record has each word once, with how often it occurs, and the number of all words", () => {
  const words = entriesOf({ kind: "words", paths: ["title", "body"], format: 1 });
  const entries = words({ title: "Red, red RÉD", body: `lamp ${"x".repeat(5000)}` });
  expect([...entries].map(([key, count]) => [key.slice(0, 5), count])).toEqual([
    ["red", 3],
    ["lamp", 1],
    ["xxxxx", 1],
    ["", 5],
  ]);
  expect(Math.max(...[...entries.keys()].map((key) => Buffer.byteLength(key)))).toBeLessThan(300);
  expect([...words({ title: "!", body: null })]).toEqual([]);
});
