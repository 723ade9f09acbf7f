import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./processes";

export interface Block {
  /** Path relative to the project, such as `docs/guide/resource.md`. */
  readonly page: string;
  readonly line: number;
  /** Language of the block, such as `ts`. Empty for output. */
  readonly language: string;
  readonly text: string;
  /** The preceding paragraph. */
  readonly before: string;
}

/** README.md, followed by every page of docs/. */
export const docPages: readonly string[] = ["README.md", ...[...new Bun.Glob("docs/**/*.md").scanSync(root)].sort()];

/** Pages that build one project step by step. Their blocks belong together, and to no other page. */
export const shopPages: readonly string[] = ["docs/guide/shop.md", "docs/guide/shop-orders.md", "docs/guide/shop-tests.md"];

export function pageText(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** Returns the text of all pages, to check that something is documented. */
export function allPages(): string {
  return docPages.map(pageText).join("\n");
}

/** Returns the code blocks in one language from every page but {@link shopPages}. Removes duplicates. */
export function docBlocks(language: string): Block[] {
  const blocks = docPages.filter((page) => !shopPages.includes(page)).flatMap(blocksIn);
  const seen = new Set<string>();
  return blocks.filter((block) => block.language === language && !seen.has(block.text) && seen.add(block.text));
}

/** Returns the code blocks of a page in their order, without their indentation in lists. */
export function blocksIn(page: string): Block[] {
  const whole = pageText(page);
  return [...whole.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(({ index, 1: indent = "", 2: language = "", 3: body = "" }) => {
    const above = whole.slice(0, index);
    return {
      page,
      line: above.split("\n").length,
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      before: above.trimEnd().split("\n\n").at(-1) ?? "",
    };
  });
}

/** Returns the file that a block of TypeScript belongs to: the one named in the block or in the text before it. */
export function fileOf({ text, before, page, line }: Block): string {
  const file = /^\/\/ ([\w/.[\]-]+\.ts)\b/.exec(text)?.[1] ?? [...before.matchAll(/`([\w/.-]+\.ts)`/g)].at(-1)?.[1];
  if (!file)
    throw new Error(`${page}:${line}: to which file does this belong? Name it in the text before, or in a first line \`// file.ts\`.`);
  return file;
}
