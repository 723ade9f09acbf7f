import { Command } from "../parts";

interface StartProps {
  readonly queue: string;
  /** Names of the consumers in `consumers/` with this queue. */
  readonly names: readonly string[];
  readonly isRunning: boolean;
}

/** How to start a consumer of a queue. */
export function HowToStart({ queue, names, isRunning }: StartProps) {
  return (
    <section class="panel" aria-labelledby="start">
      <header>
        <h2 id="start">{isRunning ? "Start another" : "Start a consumer"}</h2>
      </header>
      <div class="body starts">
        {names.map((name) => (
          <Command key={name} text={`bun run consumers/${name}.ts`} />
        ))}
        <p class="quiet">
          {names.length > 0
            ? "In the folder of the project, with the same settings as the API. Consumers of one queue share its events."
            : `No file in consumers/ of this project has the queue ${queue}. ${elsewhere(isRunning)}`}
        </p>
      </div>
    </section>
  );
}

function elsewhere(isRunning: boolean): string {
  return isRunning
    ? "Its consumers are part of another program. They share its events."
    : "Start its consumer where it is. If none is needed any more, remove the queue.";
}
