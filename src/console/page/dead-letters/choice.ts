import type { DeadLetter, LetterGroup } from "../answers";
import type { ListedLetter } from "./letter-key";

/** The dead letters that are to be redriven or discarded: all that match, whole groups, and single ones by id. */
export interface Choice {
  readonly all: boolean;
  readonly groups: ReadonlySet<string>;
  /** Ids, with the group of each. */
  readonly ids: ReadonlyMap<string, string>;
}

export const nothing: Choice = { all: false, groups: new Set(), ids: new Map() };
export const everything: Choice = { ...nothing, all: true };

/** The part of the matching dead letters that the page shows. */
export interface Shown {
  readonly groups: readonly LetterGroup[];
  readonly letters: readonly ListedLetter[];
  readonly matched: number;
}

export function hasGroup({ all, groups }: Choice, group: string): boolean {
  return all || groups.has(group);
}

export function hasLetter(choice: Choice, { id, group }: Pick<DeadLetter, "id" | "group">): boolean {
  return hasGroup(choice, group) || choice.ids.has(id);
}

export function toggleGroup(choice: Choice, group: string, shown: Shown): Choice {
  const { groups, ids } = spelledOut(choice, shown);
  const isChosen = groups.delete(group);
  if (!isChosen) groups.add(group);
  return { all: false, groups, ids: new Map([...ids].filter(([, of]) => of !== group)) };
}

/** Unchoosing one of a group leaves the others that are shown. */
export function toggleLetter(choice: Choice, letter: Pick<DeadLetter, "id" | "group">, shown: Shown): Choice {
  const { groups, ids } = spelledOut(choice, shown);
  if (groups.delete(letter.group)) {
    for (const { id, group } of shown.letters) if (group === letter.group && id !== "") ids.set(id, group);
    ids.delete(letter.id);
  } else if (!ids.delete(letter.id)) ids.set(letter.id, letter.group);
  return { all: false, groups, ids };
}

/** Returns what stays of a choice once a job was started for what was chosen then. It may have changed since, while the service answered. */
export function without(choice: Choice, started: Choice): Choice {
  if (choice === started) return nothing;
  return { ...choice, ids: new Map([...choice.ids].filter(([id]) => !started.ids.has(id))) };
}

export function countOf({ all, groups, ids }: Choice, { groups: known, matched }: Shown): number {
  if (all) return matched;
  const inGroups = known.filter(({ group }) => groups.has(group)).reduce((sum, { count }) => sum + count, 0);
  return inGroups + ids.size;
}

/** The filters of the page, as the API takes them. */
export type Filters = Readonly<Partial<Record<"type" | "reason" | "search" | "from", string>>>;

/** Returns the bodies of the jobs that do something with what is chosen: one for all, or one for each group and one for the ids. */
export function jobsOf(choice: Choice, { queue, filters, upTo }: { queue: string; filters: Filters; upTo: number }): object[] {
  const common = { queue, upTo };
  if (choice.all) return [{ ...common, ...(Object.keys(filters).length > 0 ? filters : { all: true }) }];
  const ofGroups = [...choice.groups].map((group) => ({ ...common, ...filters, group }));
  return choice.ids.size === 0 ? ofGroups : [...ofGroups, { ...common, ids: [...choice.ids.keys()] }];
}

/** Returns the groups and ids of a choice, to be changed. All are then all groups. */
function spelledOut({ all, groups, ids }: Choice, shown: Shown): { groups: Set<string>; ids: Map<string, string> } {
  return { groups: new Set(all ? shown.groups.map(({ group }) => group) : groups), ids: new Map(ids) };
}
