import type { Catalogue } from "../answers";
import { linkTo, type Place } from "../hash";
import { Bare, Failed, Notice } from "../parts";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { Contract } from "./contract";

/** The page of event types, each with its versions. */
export function Contracts({ place }: { place: Place }) {
  const { data, error, reload } = useAnswer<Catalogue>("/catalogue");
  const name = place.parts[1] ?? data?.eventTypes[0]?.type;
  useTitle(place.parts[1] === undefined ? "Contracts" : `${name}: contract`);
  if (!data) return <Bare title="Contracts">{error ? <Failed error={error} onRetry={reload} /> : <Notice title="Loading…" />}</Bare>;
  const found = data.eventTypes.find(({ type }) => type === name);
  return (
    <>
      <header class="top">
        <h1>Contracts</h1>
        <div class="at-end">
          <a class="button" href="../asyncapi.json">
            AsyncAPI
          </a>
          <a class="button" href="../swagger">
            OpenAPI
          </a>
        </div>
      </header>
      <div class="contracts">
        <nav class="panel" aria-label="Event types">
          {data.resources.map((resource) => (
            <section key={resource.name} aria-labelledby={`types-${resource.name}`}>
              <h2 id={`types-${resource.name}`}>
                {resource.name} {resource.isRetired && <span class="tag">retired</span>}
              </h2>
              <ul>
                {data.eventTypes
                  .filter((one) => one.resource === resource.name)
                  .map(({ type, versions }) => (
                    <li key={type}>
                      <a class="type" href={linkTo(["contracts", type])} aria-current={type === name ? "page" : undefined}>
                        {type} <span class="quiet">v{versions.at(-1)?.version ?? 1}</span>
                      </a>
                    </li>
                  ))}
              </ul>
            </section>
          ))}
        </nav>
        {found ? (
          <Contract
            key={found.type}
            eventType={found}
            consumers={data.consumers.filter(({ types }) => types.includes(found.type))}
            chosen={place.query.get("version")}
          />
        ) : (
          <Notice title={name === undefined ? "The service publishes nothing." : "No event has this type."} />
        )}
      </div>
    </>
  );
}
