import type { FirstAnswer, StoredAnswers } from "../../changes/idempotency-keys";
import type { Workspace } from "./workspace";

/** The answers to requests with an idempotency key, as a group of changes reads and writes them. A key is assumed to be new. */
export class Answers implements StoredAnswers {
  constructor(readonly workspace: Workspace) {}

  get(key: string, part: number): FirstAnswer | undefined {
    const { answers, isExact } = this.workspace.facts;
    const name = `${part} ${key}`;
    if (!isExact) answers.suppose(name, null);
    return answers.read(name, { key, part }) ?? undefined;
  }

  forget(key: string): void {
    this.workspace.overlay.write({ kind: "forget", key });
  }

  add(key: string, part: number, first: FirstAnswer): void {
    this.workspace.overlay.write({ kind: "answer", key, part, first });
  }

  expire(now: number): void {
    this.workspace.overlay.write({ kind: "expire", now });
  }
}
