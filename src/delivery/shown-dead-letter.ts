import type { Catalogue } from "../schema/catalogue";
import { groupOf } from "./dead-group";
import type { DeadLetter } from "./dead-letters";

/** A dead letter as the API and the commands show it. */
export interface ShownDeadLetter extends DeadLetter {
  /** Key of its group, that of dead letters with the same error. */
  readonly group: string;
  /** Id of the record. Null if the body does not say it. */
  readonly subject: number | null;
}

export function shownDeadLetter(letter: DeadLetter, catalogue: Catalogue): ShownDeadLetter {
  return { ...letter, group: groupOf(letter), subject: subjectOf(letter, catalogue) };
}

function subjectOf({ type, body }: DeadLetter, catalogue: Catalogue): number | null {
  const name = type === null ? undefined : catalogue.resourceOf(type)?.name;
  const record: unknown = name !== undefined && isObject(body) ? body[name] : undefined;
  return isObject(record) && typeof record["id"] === "number" && Number.isSafeInteger(record["id"]) ? record["id"] : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
