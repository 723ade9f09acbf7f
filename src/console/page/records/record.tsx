import { useState } from "preact/hooks";
import type { HistoryPage, Identity } from "../answers";
import { ask } from "../api";
import { linkTo } from "../hash";
import { Copy, Failed, Notice } from "../parts";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { ConfirmDelete } from "./confirm-delete";
import { RecordHistory } from "./history";
import type { Resource } from "./listing";
import { isMissing } from "./refusals";
import { useMethods } from "./use-methods";
import { type Stored, useRecord } from "./use-record";
import { Value } from "./value";

interface RecordProps {
  readonly resource: Resource & { readonly path: string };
  readonly id: string;
  readonly identity: Identity;
}

/** One record: its fields, and what became of it. */
export function RecordPage({ resource, id, identity }: RecordProps) {
  useTitle(`${resource.name} ${id}`);
  const path = `${resource.path}/${encodeURIComponent(id)}`;
  const { stored, error, reload } = useRecord(path);
  const methods = useMethods(path, identity);
  const [isDeleting, setDeleting] = useState(false);
  const [note, setNote] = useState<string>();
  const renew = (said?: string) => {
    setDeleting(false);
    setNote(said);
    reload();
  };
  return (
    <div class="columns">
      <div class="stack">
        {note && (
          <p class="lost" role="status">
            {note}
          </p>
        )}
        {isMissing(error) && <Missing path={path} name={resource.name} id={id} identity={identity} onRestored={() => renew()} />}
        {error && !isMissing(error) && <Failed error={error} onRetry={reload} />}
        {!stored && !error && <Notice title="Loading…" />}
        {stored && (
          <Shown
            resource={resource}
            stored={stored}
            edit={methods.has("PUT") || methods.has("PATCH") ? linkTo(["data", resource.name, id, "edit"]) : undefined}
            onDelete={methods.has("DELETE") ? () => setDeleting(true) : undefined}
          />
        )}
      </div>
      <aside class="stack" aria-label="History of the record">
        {(stored || error) && <RecordHistory path={path} version={stored ? stored.record["version"] : String(error)} />}
      </aside>
      {isDeleting && stored && (
        <ConfirmDelete
          path={path}
          title={`${resource.name} ${id}`}
          etag={stored.etag}
          resource={resource.name}
          id={id}
          onDeleted={() => renew()}
          onChanged={() => renew("Not deleted: it was changed meanwhile. This is what it is now.")}
          onClose={() => setDeleting(false)}
        />
      )}
    </div>
  );
}

interface ShownProps {
  readonly resource: Resource;
  readonly stored: Stored;
  readonly edit: string | undefined;
  readonly onDelete: (() => void) | undefined;
}

function Shown({ resource, stored: { record }, edit, onDelete }: ShownProps) {
  const id = String(record["id"]);
  return (
    <section class="panel inspect" aria-labelledby="record">
      <header>
        <h2 id="record">
          {resource.name} {id}
        </h2>
        <span class="tag">v{String(record["version"])}</span>
        <a class="link at-end" href={linkTo(["events"], { resource: resource.name, id })}>
          Its events
        </a>
      </header>
      <div class="body">
        <dl class="facts record">
          {Object.entries(record).map(([name, value]) => [
            <dt key={`${name} name`}>{name}</dt>,
            <dd key={name}>
              <Value resource={resource} name={name} value={value} isWhole />
            </dd>,
          ])}
        </dl>
      </div>
      <footer>
        {edit && (
          <a class="button" href={edit}>
            Edit
          </a>
        )}
        {onDelete && (
          <button class="button danger" type="button" onClick={onDelete}>
            Delete…
          </button>
        )}
        <span class="at-end" />
        <Copy text={() => JSON.stringify(record, null, 2)} label="JSON" />
        <Copy text={`curl ${new URL(`..${resource.path}/${id}`, location.href).href}`} label="curl" />
      </footer>
    </section>
  );
}

interface MissingProps {
  readonly path: string;
  readonly name: string;
  readonly id: string;
  readonly identity: Identity;
  readonly onRestored: () => void;
}

/** A record that is not there. If it was deleted, it can be restored. */
function Missing({ path, name, id, identity, onRestored }: MissingProps) {
  const { data } = useAnswer<HistoryPage>(`${path}/history?limit=1`);
  const methods = useMethods(`${path}/restore`, identity);
  const [refused, setRefused] = useState<Error>();
  const [last] = data?.history ?? [];
  const restore = () => void ask(`${path}/restore`, { method: "POST" }).then(onRestored, setRefused);
  return (
    <div class="notice" role="status">
      <b>{last?.type === `${name}.deleted` ? `The ${name} ${id} was deleted.` : `There is no ${name} ${id}.`}</b>
      {refused && <p class="mistake">{refused.message}</p>}
      {last?.type === `${name}.deleted` && methods.has("POST") && (
        <button class="button small" type="button" onClick={restore}>
          Restore it
        </button>
      )}
    </div>
  );
}
