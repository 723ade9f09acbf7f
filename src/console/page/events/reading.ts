import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Scrolled by more than this, in pixels, one no longer looks at the newest rows. */
const scrolledBy = 60;

/** Returns whether someone reads a list, which must then stay as it is: the pointer is over it, it is scrolled, or text in it is selected. */
export function useReading(list: RefObject<HTMLElement | null>): { isReading: boolean; show: () => void } {
  const [reasons, setReasons] = useState({ points: false, scrolled: false, selects: false });
  useEffect(() => {
    const note = (what: Partial<typeof reasons>) => setReasons((before) => ({ ...before, ...what }));
    const scroll = () => note({ scrolled: scrollY > scrolledBy });
    const select = () => {
      const selection = getSelection();
      note({ selects: selection !== null && !selection.isCollapsed && (list.current?.contains(selection.anchorNode) ?? false) });
    };
    const enter = (event: PointerEvent) => event.pointerType === "mouse" && note({ points: true });
    const leave = () => note({ points: false });
    const element = list.current;
    addEventListener("scroll", scroll, { passive: true });
    document.addEventListener("selectionchange", select);
    element?.addEventListener("pointerenter", enter);
    element?.addEventListener("pointerleave", leave);
    return () => {
      removeEventListener("scroll", scroll);
      document.removeEventListener("selectionchange", select);
      element?.removeEventListener("pointerenter", enter);
      element?.removeEventListener("pointerleave", leave);
    };
  }, [list]);
  const show = () => {
    getSelection()?.empty();
    setReasons({ points: false, scrolled: false, selects: false });
  };
  return { isReading: Object.values(reasons).some(Boolean), show };
}
