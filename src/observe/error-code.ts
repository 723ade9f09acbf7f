/** Returns the code of an error of the platform, the driver of a database or a library, such as `EEXIST`. Empty if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
