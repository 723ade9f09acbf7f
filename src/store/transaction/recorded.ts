import { type ErrorText, errorFrom, errorText } from "../error-text";
import { ChangeAttempt } from "./changes";

/** The answer to a call of a handler's changes, as JSON. */
export type Answer = { readonly call: string } & ({ readonly value: unknown } | { readonly error: ErrorText });

/** A run of a handler that keeps what its calls have answered. */
export class RecordedAttempt extends ChangeAttempt {
  readonly answers: Answer[] = [];

  protected override async perform<R>(call: string, work: () => Promise<R>): Promise<R> {
    try {
      const value = await super.perform(call, work);
      this.answers.push({ call, value: structuredClone(value) });
      return value;
    } catch (error) {
      this.answers.push({ call, error: errorText(error) });
      throw error;
    }
  }
}

/** A run of a handler whose changes were committed before: its calls get the same answers, and change nothing. */
export class RepeatedAttempt extends ChangeAttempt {
  #next = 0;

  /** @param answers the answers of the run that was committed. */
  constructor(
    readonly answers: readonly Answer[],
    ...rest: ConstructorParameters<typeof ChangeAttempt>
  ) {
    super(...rest);
  }

  protected override async perform<R>(call: string): Promise<R> {
    const answer = this.answers[this.#next];
    this.#next += 1;
    if (answer?.call !== call)
      throw new Error(
        `The handler calls ${call}, but when its changes were committed it called ${answer?.call ?? "nothing more"}. A handler must do the ` +
          "same each time it gets an event: it must not depend on the time, on chance, or on what it reads without `change` and `tx`.",
      );
    if ("error" in answer) throw errorFrom(answer.error);
    return answer.value as R;
  }
}
