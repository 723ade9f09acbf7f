import type { Catalogue, Topology } from "../answers";
import { linkTo } from "../hash";
import { Time } from "../parts";
import { useAnswer } from "../use-answer";

/** The facts about a queue besides its numbers. */
export function QueueFacts({ queue: { kind, types, announcedAt, consumers } }: { queue: Topology["queues"][number] }) {
  const { data } = useAnswer<Catalogue>("/catalogue");
  const mine = data?.consumers.filter(({ name }) => consumers.includes(name)) ?? [];
  return (
    <section class="panel" aria-labelledby="about">
      <header>
        <h2 id="about">About this queue</h2>
      </header>
      <div class="body">
        <dl class="facts">
          <dt>Kind</dt>
          <dd>{kind === "shared" ? "shared by consumers of a resource" : "of one consumer"}</dd>
          {announcedAt !== null && [
            <dt key="name">Last asked for</dt>,
            <dd key="value">
              <Time at={announcedAt} />
            </dd>,
          ]}
          {mine.map(({ name, description, exactlyOnce }) => [
            <dt key={`${name} name`}>Consumer</dt>,
            <dd key={name} class="whole">
              {name}
              {exactlyOnce && <span class="quiet">, exactly once</span>}
              {description && <span class="quiet">: {description}</span>}
            </dd>,
          ])}
        </dl>
        {types && (
          <ul class="type-list" aria-label="Event types">
            {types.map((type) => (
              <li key={type}>
                <a class="type link" href={linkTo(["contracts", type])}>
                  {type}
                </a>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
