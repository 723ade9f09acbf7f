import { existsSync, watch } from "node:fs";
import { join, relative, sep } from "node:path";

/** Watches the folders of a project in which its source files are. */
export class WatchedFolders {
  readonly #watched = new Set<string>();

  /**
   * @param root the project.
   * @param onChange called with the absolute path of a file that was written, added or removed.
   */
  constructor(
    readonly root: string,
    readonly onChange: (file: string) => void,
  ) {}

  /** Watches a folder of the project with all its subfolders, if it exists. */
  watch(folder: string): void {
    if (this.#watched.has(folder) || !existsSync(join(this.root, folder))) return;
    this.#watched.add(folder);
    // Directly in the project, there are also folders that are not source, and change all the time.
    watch(join(this.root, folder), { recursive: folder !== "" }, (_, file) => {
      if (file && !file.endsWith(".generated.ts")) this.onChange(join(this.root, folder, file));
    });
  }

  /** Watches the folders that contain the files, as far as they are in the project. */
  cover(files: Iterable<string>): void {
    for (const file of files) {
      const [first = "", ...rest] = relative(this.root, file).split(sep);
      if (first !== "..") this.watch(rest.length === 0 ? "" : first);
    }
  }
}
