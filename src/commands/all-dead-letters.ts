import type { DeadLetter, DeadLetterPage, DeadLetters } from "../delivery/dead-letters";

/**
 * Yields every dead letter of a queue, oldest first.
 *
 * @param batch Number of dead letters to read at a time.
 */
export async function* allDeadLetters(deadLetters: DeadLetters, queue: string, batch: number): AsyncGenerator<DeadLetter> {
  for (let after: number | null = 0; after !== null; ) {
    const page: DeadLetterPage = await deadLetters.list(queue, {}, after, batch);
    after = page.next;
    yield* page.deadLetters;
  }
}
