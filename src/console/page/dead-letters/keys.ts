import { useLayoutEffect } from "preact/hooks";
import type { ListedLetter } from "./letter-key";

export interface Keys {
  readonly letters: readonly ListedLetter[];
  readonly open: string | undefined;
  readonly onOpen: (key: string | undefined) => void;
  readonly onChoose: (letter: ListedLetter) => void;
  readonly onHelp: () => void;
}

/** `j` and `k` go through the list, `x` chooses, `Esc` closes, `?` explains. */
export function useKeys({ letters, open, onOpen, onChoose, onHelp }: Keys): void {
  // Not useEffect, which runs a frame later: the next key would find the list of before.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const at = document.activeElement;
      const isTyping = at instanceof HTMLElement && at.matches("input:not([type=checkbox]), textarea, select");
      if (isTyping || event.metaKey || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
      const place = letters.findIndex(({ key }) => key === open);
      const step = (by: number) => onOpen(letters[Math.min(letters.length - 1, Math.max(0, place + by))]?.key);
      const letter = letters[place];
      if (event.key === "j") step(1);
      else if (event.key === "k") step(place === -1 ? 1 : -1);
      else if (event.key === "x" && letter && letter.id !== "") onChoose(letter);
      else if (event.key === "Escape" && open !== undefined) onOpen(undefined);
      else if (event.key === "?") onHelp();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [letters, open, onOpen, onChoose, onHelp]);
}
