import { afterEach, beforeEach } from "bun:test";
import { temporaryFolder } from "./folder";
import { endAll } from "./processes";

/** Gives each test of a file a temporary folder. After the test, ends the programs it started and removes the folder. */
export function useFolder(): { readonly path: string } {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await endAll();
    folder.remove();
  });
  return {
    get path() {
      return folder.path;
    },
  };
}
