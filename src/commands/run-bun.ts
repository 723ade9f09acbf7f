/** Runs Bun in a folder. Resolves with the exit code. */
export function runBun(folder: string, words: readonly string[], output: "inherit" | "ignore"): Promise<number> {
  return Bun.spawn([process.execPath, ...words], { cwd: folder, stdio: ["ignore", output, output] }).exited;
}
