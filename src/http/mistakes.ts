import { type Mistake, maxMistakes } from "../schema/mistakes";
import { HttpProblem } from "./problem";

/** Content that is not valid: 422 with every mistake. */
export function invalid(part: string, mistakes: readonly Mistake[]): HttpProblem {
  return new HttpProblem(422, `The ${part} is not valid.`, mistakes.slice(0, maxMistakes));
}
