import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./folder";

/** The facts about the project that the documentation shows. */
export interface About {
  /** With a capital letter, such as `Shop`. */
  readonly title: string;
  readonly version: string;
  readonly author: string | undefined;
  /** An SPDX identifier, such as `MIT`. */
  readonly license: string | undefined;
}

/** The fields of a `package.json` that are used. */
export interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly author?: string | { readonly name?: string };
  readonly license?: string;
}

/** Read only once, since the file does not change while a program runs. */
let about: About | undefined;

/** Returns what the project's `package.json` says about it, or the one from {@link provideAbout}. */
export function aboutProject(): About {
  const file = join(projectFolder, "package.json");
  about ??= describe(existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as PackageJson) : {});
  return about;
}

/** Sets the `package.json` of an executable, which has no file to read. Call it before {@link aboutProject}. */
export function provideAbout(packageJson: PackageJson): void {
  about = describe(packageJson);
}

function describe({ name = "warren", version = "0.0.0", author, license }: PackageJson): About {
  const title = name.replace(/^@[^/]*\//, "");
  return {
    title: title.slice(0, 1).toUpperCase() + title.slice(1),
    version,
    author: typeof author === "object" ? author.name : author,
    license,
  };
}
