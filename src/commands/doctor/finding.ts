import { messageOf } from "../../observe/logging";

/** Result of one check. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "fixed" | "warning" | "error";
  readonly message: string;
  /** Advice for a person. Null if there is nothing to do. */
  readonly todo: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message, todo: null };
}

export function warning(check: string, message: string, todo: string): Finding {
  return { check, state: "warning", message, todo };
}

export function failure(check: string, message: string, todo: string): Finding {
  return { check, state: "error", message, todo };
}

/** Runs a check. If it throws, that is its finding, so that the other checks still run. */
export async function guarded(check: string, run: () => Promise<readonly Finding[]> | readonly Finding[]): Promise<readonly Finding[]> {
  try {
    return await run();
  } catch (error) {
    return [failure(check, messageOf(error), "Correct this and run the doctor again.")];
  }
}
