import type { Catalogue, Identity } from "../answers";
import { go, linkTo, type Place } from "../hash";
import { Icon } from "../icons";
import { mayChange } from "../mode";
import { Bare, Failed, Notice } from "../parts";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { CreateRecord } from "./create";
import { EditRecord } from "./edit";
import { RecordList } from "./list";
import type { Resource } from "./listing";
import { RecordPage } from "./record";
import { useMethods } from "./use-methods";

/** Resources that the switch has room for. */
const mostInSwitch = 5;

type Listed = Resource & { readonly path: string };

/** The records of each resource: lists, one record with its history, and forms to make and change one. */
export function Data({ place, identity }: { place: Place; identity: Identity }) {
  const { data, error, reload } = useAnswer<Catalogue>("/catalogue");
  const [, name, id, action] = place.parts;
  useTitle(name === undefined ? "Data" : `Data: ${name}`);
  const listed = data?.resources.filter((one): one is Listed => one.path !== null && !one.isRetired) ?? [];
  const resource = name === undefined ? listed[0] : listed.find((one) => one.name === name);
  const methods = useMethods(id === undefined ? resource?.path : undefined, identity);
  if (!data) return <Bare title="Data">{error ? <Failed error={error} onRetry={reload} /> : <Notice title="Loading…" />}</Bare>;
  return (
    <>
      <header class="top">
        <Crumbs resource={resource} id={id} action={action} />
        <div class="at-end">
          {listed.length > 1 && <Resources all={listed} current={resource} />}
          {resource && id === undefined && methods.has("POST") && (
            <a class="button main" href={linkTo(["data", resource.name, "new"])}>
              New {resource.name}
            </a>
          )}
        </div>
      </header>
      {!resource && (
        <Notice title={name === undefined ? "No resource has a route." : `No resource with a route has the name ${name}.`}>
          A resource has lists with a file in routes/.
        </Notice>
      )}
      {resource && shown(resource, place, identity)}
    </>
  );
}

function shown(resource: Listed, { parts: [, , id, action], query }: Place, identity: Identity) {
  const key = `${resource.name} ${id} ${action}`;
  if (id === undefined) return <RecordList key={key} resource={resource} query={query} />;
  if ((id === "new" || action === "edit") && !mayChange()) return <Notice title="This console changes nothing." />;
  if (id === "new") return <CreateRecord key={key} resource={resource} />;
  if (action === "edit") return <EditRecord key={key} resource={resource} id={id} identity={identity} />;
  return <RecordPage key={key} resource={resource} id={id} identity={identity} />;
}

function Crumbs({ resource, id, action }: { resource: Listed | undefined; id: string | undefined; action: string | undefined }) {
  if (!resource || id === undefined) return <h1>Data</h1>;
  return (
    <h1 class="crumb">
      <a href={linkTo(["data", resource.name])}>{resource.plural}</a> / <b>{id === "new" ? "new" : id}</b>
      {action === "edit" && <span>/ edit</span>}
    </h1>
  );
}

function Resources({ all, current }: { all: readonly Listed[]; current: Listed | undefined }) {
  if (all.length <= mostInSwitch) {
    return (
      <nav class="switch" aria-label="Resource">
        {all.map(({ name, plural }) => (
          <a key={name} href={linkTo(["data", name])} aria-current={name === current?.name ? "true" : undefined}>
            {plural}
          </a>
        ))}
      </nav>
    );
  }
  return (
    <label class="field pick">
      Resource
      <select value={current?.name ?? ""} onChange={(event) => go(linkTo(["data", event.currentTarget.value]))}>
        {all.map(({ name, plural }) => (
          <option key={name} value={name}>
            {plural}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}
