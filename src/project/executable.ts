import { basename } from "node:path";

/** Whether this program is an executable built by `bun run build`. It contains the project's files, and has no folders of them. */
export const isExecutable = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/.test(Bun.main);

/** Returns the path of the file that this process runs. In an executable, that of a consumer is relative, such as `consumers/logger.ts`. */
export function mainFile(): string {
  return (isExecutable && process.argv[1]) || Bun.main;
}

/** Returns help for the program that runs: in an executable, `bun run status` is `warren status`, if that is the name of its file. */
export function asCalled(help: string): string {
  if (!isExecutable) return help;
  const program = basename(process.execPath);
  return help.replace(/bun run consumers\/([\w.-]+)\.ts/g, `${program} consumer $1`).replace(/bun run (?=[a-z])/g, `${program} `);
}
