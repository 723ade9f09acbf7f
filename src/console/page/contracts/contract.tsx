import type { Catalogue } from "../answers";
import { linkTo } from "../hash";
import { Json } from "../json";
import { Copy } from "../parts";

interface ContractProps {
  readonly eventType: Catalogue["eventTypes"][number];
  /** Those that get such events. */
  readonly consumers: Catalogue["consumers"];
  /** Version in the link. Default: the newest. */
  readonly chosen: string | null;
}

/** One event type: how it looks, and how it looked before. */
export function Contract({ eventType: { type, isPublished, versions }, consumers, chosen }: ContractProps) {
  const shown = versions.find(({ version }) => String(version) === chosen) ?? versions.at(-1);
  return (
    <div class="stack">
      <section class="panel" aria-labelledby="contract">
        <header>
          <h2 id="contract" class="type">
            {type}
          </h2>
          {!isPublished && <span class="tag">no longer published</span>}
          <nav class="switch at-end" aria-label="Version">
            {versions.map(({ version }) => (
              <a key={version} href={linkTo(["contracts", type], { version: String(version) })} aria-current={version === shown?.version ? "true" : undefined}>
                v{version}
              </a>
            ))}
          </nav>
        </header>
        <div class="body">
          {shown && shown.changes.length > 0 ? (
            <ul class="changes">
              {shown.changes.map((change) => (
                <li key={change}>{change}</li>
              ))}
            </ul>
          ) : (
            <p class="quiet">The first version.</p>
          )}
        </div>
      </section>
      <section class="panel" aria-labelledby="receivers">
        <header>
          <h2 id="receivers">Consumers in this project</h2>
        </header>
        <div class="body">
          {consumers.length === 0 && <p class="quiet">None of consumers/ takes it.</p>}
          <dl class="facts">
            {consumers.map(({ name, queue, description }) => [
              <dt key={`${name} ${queue} name`}>{name}</dt>,
              <dd key={`${name} ${queue}`} title={description ?? undefined}>
                {queue ?? "a temporary queue"}
                {description && <span class="quiet">, {description}</span>}
              </dd>,
            ])}
          </dl>
        </div>
      </section>
      {shown?.example && (
        <section class="panel" aria-labelledby="example">
          <header>
            <h2 id="example">Example</h2>
            <span class="at-end">
              <Copy text={JSON.stringify(shown.example, null, 2)} label="Copy the example" quiet />
            </span>
          </header>
          <div class="body">
            <Json value={shown.example} />
          </div>
        </section>
      )}
      {shown && (
        <section class="panel" aria-labelledby="schema">
          <header>
            <h2 id="schema">Schema</h2>
            <span class="at-end">
              <Copy text={JSON.stringify(shown.schema, null, 2)} label="Copy the schema" quiet />
            </span>
          </header>
          <div class="body">
            <Json value={shown.schema} />
          </div>
        </section>
      )}
    </div>
  );
}
