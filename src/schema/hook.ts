/** A function of a resource, such as its `check`, threw or returned something that it must not return. Nothing changed. */
export class BrokenHook extends Error {
  override readonly name = "BrokenHook";
}

/**
 * Calls a function of a resource.
 *
 * @param what names the function in error messages: `The check of "order"`.
 * @throws {BrokenHook} if it throws or returns a promise. The stack is that of the error that it threw.
 */
export function callHook<T>(what: string, hook: () => T): T {
  let returned: T;
  try {
    returned = hook();
  } catch (cause) {
    const broken = new BrokenHook(`${what} threw ${thrownText(cause)}`, { cause });
    if (cause instanceof Error && cause.stack !== undefined) broken.stack = cause.stack;
    throw broken;
  }
  if (!(returned instanceof Promise)) return returned;
  // Prevent an unhandled rejection.
  returned.catch(() => {});
  throw new BrokenHook(`${what} returned a promise; it must not be async.`);
}

/** Returns the text of any thrown value. Reading the value may itself throw. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return "a value that cannot be shown";
  }
}
