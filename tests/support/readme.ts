import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./processes";

export interface Block {
  readonly line: number;
  readonly text: string;
  /** The paragraph before it. */
  readonly before: string;
}

/** The code blocks of the README in a language, without their indentation in lists. */
export function readmeBlocks(language: string): Block[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...readme.matchAll(fence)].map(({ index, 1: indent = "", 2: text = "" }) => {
    const above = readme.slice(0, index);
    return {
      line: above.split("\n").length,
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      before: above.trimEnd().split("\n\n").at(-1) ?? "",
    };
  });
}

/** Where a block of TypeScript belongs: the file that it names, or that the text before it names. */
export function fileOf({ text, before, line }: Block): string {
  const file = /^\/\/ ([\w/.[\]-]+\.ts)\b/.exec(text)?.[1] ?? [...before.matchAll(/`([\w/.-]+\.ts)`/g)].at(-1)?.[1];
  if (!file)
    throw new Error(`README.md:${line}: to which file does this belong? Name it in the text before, or in a first line \`// file.ts\`.`);
  return file;
}
