import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./folder";

/** A file in `consumers/`. */
export interface ConsumerFile {
  /** Name without folder and ending, such as `audit`. */
  readonly name: string;
  /** Loads the file. Does not resolve if the file runs a consumer when it is loaded. */
  load(): Promise<object>;
}

let provided: readonly ConsumerFile[] | undefined;

/** Returns the files in the project's `consumers/`, or those from {@link provideConsumers}, sorted by name. */
export function consumerFiles(): readonly ConsumerFile[] {
  return provided ?? consumerFilesIn(join(projectFolder, "consumers"));
}

/** Returns the files directly in a folder, sorted by name. */
export function consumerFilesIn(folder: string): ConsumerFile[] {
  const files = existsSync(folder) ? [...new Bun.Glob("*.ts").scanSync(folder)].sort() : [];
  return files.map((file) => ({ name: file.replace(/\.ts$/, ""), load: () => import(join(folder, file)) as Promise<object> }));
}

/** Sets the files of an executable, which has no `consumers/` folder. Call it before {@link consumerFiles}. */
export function provideConsumers(loaders: Readonly<Record<string, () => Promise<object>>>): void {
  provided = Object.entries(loaders).map(([name, load]) => ({ name, load }));
}
