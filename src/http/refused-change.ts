import type { BrokenHook } from "../schema/hook";
import { maxMistakes } from "../schema/mistakes";
import { Conflict, RefusedChange } from "../schema/refused-change";
import type { ProblemContent } from "./problem";

/** Returns the status and content of the problem for a change that the store refused. A broken hook's error is for the log only. */
export function problemOfRefused(
  error: RefusedChange | BrokenHook,
  most = maxMistakes,
): ProblemContent & { readonly status: 409 | 422 | 500 } {
  if (!(error instanceof RefusedChange)) return { status: 500 };
  const { summary: detail, mistakes } = error;
  const errors = mistakes.length > 0 ? mistakes.slice(0, most) : undefined;
  return { status: error instanceof Conflict ? 409 : 422, detail, errors };
}
