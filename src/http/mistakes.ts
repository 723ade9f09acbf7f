import { type Mistake, maxMistakes } from "../schema/mistakes";
import { HttpProblem } from "./problem";

/** Returns a 422 problem for invalid content, with up to {@link maxMistakes} mistakes. */
export function invalid(part: string, mistakes: readonly Mistake[]): HttpProblem {
  return new HttpProblem(422, `The ${part} is not valid.`, mistakes.slice(0, maxMistakes));
}
