/** Returns whether this console changes anything. With CONSOLE=read, the service refuses all changes, so that the page offers none. */
export function mayChange(): boolean {
  return document.documentElement.dataset["console"] !== "read";
}
