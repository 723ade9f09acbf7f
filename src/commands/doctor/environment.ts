import type { EnvironmentCheck } from "../../config/check-environment";
import { type Finding, failure, ok, warning } from "./finding";

/** Lists every mistake in the environment variables, and those that are probably misspelt. */
export function checkVariables({ mistakes, misspelt, set }: EnvironmentCheck): Finding[] {
  const found = [
    ...mistakes.map((mistake) => failure("environment", mistake, "See docs/reference/environment.md.")),
    ...misspelt.map(({ name, known }) =>
      warning("environment", `${name} is set, which is not a variable of Warren.`, `If ${known} is meant, rename it.`),
    ),
  ];
  return found.length > 0 ? found : [ok("environment", set.length > 0 ? `valid: ${set.join(", ")}` : "no variables set")];
}
