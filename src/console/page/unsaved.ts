import { useLayoutEffect } from "preact/hooks";

let isUnsaved = false;

/** True if something would be lost if one left the page. */
export function wouldLose(): boolean {
  return isUnsaved;
}

/**
 * Lets the console, and the browser, ask before one leaves while `isChanged`.
 *
 * @returns a function to call before the page itself leaves, since everything is saved.
 */
export function useUnsaved(isChanged: boolean): () => void {
  useLayoutEffect(() => {
    if (!isChanged) return;
    isUnsaved = true;
    addEventListener("beforeunload", ask);
    return letGo;
  }, [isChanged]);
  return letGo;
}

function letGo(): void {
  isUnsaved = false;
  removeEventListener("beforeunload", ask);
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
