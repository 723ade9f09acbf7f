/**
 * Runs a suite and cleans up after it. Resolves with whether it ended without an error, which is printed. An interrupt or SIGTERM cleans up
 * too, and ends the process with 130.
 */
export async function runSuite(suite: () => Promise<void>, cleanUp: () => Promise<void>): Promise<boolean> {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, async () => {
      stopping = true;
      await cleanUp();
      process.exit(130);
    });
  }
  let isDone = false;
  try {
    await suite();
    isDone = true;
  } catch (error) {
    // Stopping makes the work in progress end with an error.
    if (!stopping) console.error(error);
  }
  // The signal's handler ends the process.
  if (stopping) return new Promise<never>(() => {});
  await cleanUp();
  return isDone;
}
