import { mostAnswers, type WebhookReport } from "../delivery/consumer-report";
import { timestamp } from "../timing/clock";

type Answer = WebhookReport["answers"][number];

/** The latest answers of a subscriber, for whoever looks at its subscription. */
export class Answers {
  #latest: Answer[] = [];

  /** Begins an attempt. Call `status` when it is answered, and `end` when it is over. */
  begin(): { readonly status: (status: number) => void; readonly end: () => void; readonly ms: () => number } {
    const startedAt = performance.now();
    const ms = () => Math.round(performance.now() - startedAt);
    let answered: number | null = null;
    return {
      status: (status) => {
        answered = status;
      },
      end: () => {
        this.#latest = [...this.#latest, { at: timestamp(), status: answered, ms: ms() }].slice(-mostAnswers);
      },
      ms,
    };
  }

  /** Returns the latest ones, oldest first. */
  list(): Answer[] {
    return this.#latest;
  }
}
