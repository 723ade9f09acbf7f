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
