import { useLayoutEffect, useRef } from "preact/hooks";

/** Returns the `ref` of a dialog, and opens it as soon as it is drawn: with `useEffect` it would open a frame later, and the page behind it would get the keys until then. */
export function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return dialog;
}
