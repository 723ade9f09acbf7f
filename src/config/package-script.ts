/** Returns whether this process was started by a script of `package.json`, such as `bun run dev`. The runner of scripts is then its parent. */
export function isPackageScript(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return environment["npm_lifecycle_event"] !== undefined;
}
