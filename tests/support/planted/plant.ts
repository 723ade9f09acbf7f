import { plugin } from "bun";

/** Loads a file of src/ with a bug: replaces each of these texts, all of which must occur. For `bun --preload`. */
export function plant(file: string, ...changes: readonly (readonly [good: string, bad: string])[]): void {
  plugin({
    name: `a bug in ${file}`,
    setup(build) {
      build.onLoad({ filter: new RegExp(`/src/${file.replaceAll(".", "\\.")}$`) }, async ({ path }) => {
        let contents = await Bun.file(path).text();
        for (const [good, bad] of changes) {
          if (contents.split(good).length !== 2) throw new Error(`${file} does not have this once: ${good}`);
          contents = contents.replace(good, () => bad);
        }
        return { contents, loader: "ts" };
      });
    },
  });
}
