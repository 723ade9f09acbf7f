const after = Number(process.env["CRASH_AFTER"]);
let passed = 0;

/** Dies with kill -9 on the CRASH_AFTER-th call. */
export function atCrashPoint(): void {
  passed += 1;
  if (passed === after) process.kill(process.pid, "SIGKILL");
}
