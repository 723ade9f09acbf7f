import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./processes";

export interface Block {
  /** Relative to the project: `docs/guide/resource.md`. */
  readonly page: string;
  readonly line: number;
  readonly text: string;
  /** The paragraph before it. */
  readonly before: string;
}

/** README.md and every page of docs/, the README first. */
export const docPages: readonly string[] = ["README.md", ...[...new Bun.Glob("docs/**/*.md").scanSync(root)].sort()];

export function pageText(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The text of all pages, for what has to be documented somewhere. */
export function allPages(): string {
  return docPages.map(pageText).join("\n");
}

/** The code blocks in a language of every page, without their indentation in lists. One that a page repeats comes once. */
export function docBlocks(language: string): Block[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  const seen = new Set<string>();
  return docPages.flatMap((page) => {
    const whole = pageText(page);
    return [...whole.matchAll(fence)].flatMap(({ index, 1: indent = "", 2: body = "" }) => {
      const text = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
      if (seen.has(text)) return [];
      seen.add(text);
      const above = whole.slice(0, index);
      return [{ page, line: above.split("\n").length, text, before: above.trimEnd().split("\n\n").at(-1) ?? "" }];
    });
  });
}

/** Where a block of TypeScript belongs: the file that it names, or that the text before it names. */
export function fileOf({ text, before, page, line }: Block): string {
  const file = /^\/\/ ([\w/.[\]-]+\.ts)\b/.exec(text)?.[1] ?? [...before.matchAll(/`([\w/.-]+\.ts)`/g)].at(-1)?.[1];
  if (!file)
    throw new Error(`${page}:${line}: to which file does this belong? Name it in the text before, or in a first line \`// file.ts\`.`);
  return file;
}
