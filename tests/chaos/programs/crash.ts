const after = Number(process.env["CRASH_AFTER"]);
let passed = 0;

/** Dies by kill -9 when it is called for the CRASH_AFTER-th time. */
export function atCrashPoint(): void {
  passed += 1;
  if (passed === after) process.kill(process.pid, "SIGKILL");
}
