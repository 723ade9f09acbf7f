// The documentation can be read and navigated: short pages, tables that fit a screen, links that lead somewhere.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { allPages, docPages, pageText } from "./support/doc-pages";

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

const headingsOf = (page: string) => [...pageText(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => heading);
const linksOf = (page: string) => [...pageText(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = ""]) => link);

test("the README suits a reader who decides in five minutes", () => {
  expect(Buffer.byteLength(pageText("README.md"))).toBeLessThanOrEqual(20 * 1024);
});

describe.each([...docPages])("%s", (page) => {
  test("has at most 300 lines, and no row of a table over 200 characters", () => {
    const lines = pageText(page).split("\n");
    expect(lines.length).toBeLessThanOrEqual(300);
    expect(lines.filter((line) => line.startsWith("|") && line.length > 200)).toEqual([]);
  });

  test("links to pages and headings that exist", () => {
    const broken = linksOf(page).filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : posix.join(posix.dirname(page), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && target.endsWith(".md") && !headingsOf(target).map(anchorOf).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test("every page is linked from the README", () => {
  const linked = linksOf("README.md").map((link) => link.split("#")[0]);
  expect(docPages.filter((page) => page !== "README.md" && !linked.includes(page))).toEqual([]);
});

test.each(["unique", "relation", "owner", "JWT", "soft delete", "validation", "upgrade", "409", "search"])(
  "%s can be found from the README",
  (word) => {
    expect(pageText("README.md").toLowerCase()).toContain(word.toLowerCase());
    expect(allPages().toLowerCase()).toContain(word.toLowerCase());
  },
);

test("every check of the doctor is explained", () => {
  const files = [...new Bun.Glob("src/commands/doctor/*.ts").scanSync(".")].map((file) => readFileSync(file, "utf8")).join("\n");
  const checks = [...files.matchAll(/(?:check: |(?:fine|warning|failure|check)\()"([a-z ]+)"/g)].map(([, check = ""]) => check);
  expect(checks).toContain("conversions");
  const [, table = ""] = /^\| checks +\|.*\n([\s\S]*?)\n\n/m.exec(pageText("docs/guide/operating.md")) ?? [];
  const explained = table.split("\n").flatMap(
    (row) =>
      row
        .split("|")[1]
        ?.split(",")
        .map((check) => check.trim()) ?? [],
  );
  expect(checks.filter((check) => !explained.includes(check))).toEqual([]);
});

test.each(["docs/guarantees.md", "docs/security.md"])("every test that %s names in italics exists", (page) => {
  const tests = [...new Bun.Glob("tests/**/*.ts").scanSync(".")].map((file) => readFileSync(file, "utf8")).join("\n");
  const text = pageText(page).replace(/\s+/g, " ");
  const titles = [...text.matchAll(/(?<!\w)_([^_]+)_(?!\w)|(?<!\*)\*([^*]+)\*(?!\*)/g)].map(([, a, b]) => a ?? b ?? "");
  expect(titles.length).toBeGreaterThan(10);
  // A part that the page leaves out is an ellipsis.
  const missing = titles.filter((title) => title.split("…").some((part) => !tests.includes(part.trim().replace(/[:,;]$/, ""))));
  expect(missing).toEqual([]);
});
