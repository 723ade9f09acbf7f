import { typesWithErasure } from "../../../schema/erasure";
import type { Resource } from "../../../schema/resource";
import type { RecordTraces } from "../../changes/erasing";
import type { ErasedRecord } from "../../erasure";
import { storedIn } from "../../history";
import type { LogEntry } from "../../log";
import type { Stored } from "../../stored";
import type { Workspace } from "./workspace";

/** Returns access to what the log and the stored answers have of records, for changes that run under the order lock. */
export function recordTraces(workspace: Workspace): RecordTraces {
  const keyOf = ({ resource, id }: ErasedRecord) => ({ subject: id, types: resource.eventTypes });
  return {
    eventsOf: (record) => workspace.facts.events.read(`${record.resource.name}/${record.id}`, keyOf(record)),
    bury: (record) => workspace.overlay.write({ kind: "bury", ...keyOf(record) }),
    answersWith: (text) => workspace.facts.mentions.read(text, text),
    replaceAnswer: (number, answer) => workspace.overlay.write({ kind: "rewrite", number, answer }),
  };
}

/** Returns a function that returns the state in which a record was deleted. Returns undefined if its last event is another one. */
export function deletedStates(workspace: Workspace): (resource: Resource, id: number) => Stored | undefined {
  return (resource, id) => {
    const newest = newestEvent(workspace, id, resource.eventTypes);
    return newest?.type === `${resource.name}.deleted` ? storedIn(resource, newest) : undefined;
  };
}

/** Returns a function that returns whether the log has an event of a record. */
export function usedIds(workspace: Workspace): (resource: Resource, id: number) => boolean {
  return (resource, id) => newestEvent(workspace, id, typesWithErasure(resource)) !== null;
}

function newestEvent({ facts }: Workspace, subject: number, types: readonly string[]): Pick<LogEntry, "type" | "body"> | null {
  return facts.newestEvents.read(`${subject} ${types.join(" ")}`, { subject, types });
}
