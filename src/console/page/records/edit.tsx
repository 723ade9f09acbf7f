import { useState } from "preact/hooks";
import type { Identity } from "../answers";
import { send } from "../api";
import { go, linkTo } from "../hash";
import { Failed, Notice } from "../parts";
import { useUnsaved } from "../unsaved";
import { useTitle } from "../use-title";
import { type Drafts, draftsOf, fieldsIn, isSame, patchOf } from "./drafts";
import { fieldsOf } from "./fields";
import { RecordForm } from "./form";
import type { Resource } from "./listing";
import { differencesOf, rebased } from "./race";
import { RaceNotice } from "./race-notice";
import { isMissing, lostRace } from "./refusals";
import { useMethods } from "./use-methods";
import { readRecord, type Stored, useRecord } from "./use-record";

interface EditProps {
  readonly resource: Resource & { readonly path: string };
  readonly id: string;
  readonly identity: Identity;
}

/** Changes a record, if it is still as one has seen it. */
export function EditRecord({ resource, id, identity }: EditProps) {
  useTitle(`Edit ${resource.name} ${id}`);
  const path = `${resource.path}/${encodeURIComponent(id)}`;
  const { stored, error, reload } = useRecord(path);
  const methods = useMethods(path, identity);
  if (error) return <Failed error={error} onRetry={reload} />;
  if (!stored) return <Notice title="Loading…" />;
  return <Editor key={path} resource={resource} id={id} path={path} begun={stored} isReplaced={methods.has("PUT")} />;
}

interface EditorProps extends Omit<EditProps, "identity"> {
  readonly path: string;
  /** The record when one began. */
  readonly begun: Stored;
  /** True if the API replaces whole records. If not, only what was changed is sent. */
  readonly isReplaced: boolean;
}

function Editor({ resource, id, path, begun, isReplaced }: EditorProps) {
  const fields = fieldsOf(resource.input);
  const [base, setBase] = useState(begun);
  const [drafts, setDrafts] = useState<Drafts>(() => draftsOf(fields, begun.record));
  const [newer, setNewer] = useState<Stored>();
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const letGo = useUnsaved(!isMissing(error) && !isSame(drafts, draftsOf(fields, base.record)));
  const leave = () => {
    letGo();
    go(linkTo(["data", resource.name, id]));
  };
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const after = fieldsIn(fields, drafts, base.record);
      const before = Object.fromEntries(fields.filter(({ name }) => name in base.record).map(({ name }) => [name, base.record[name]]));
      const body = isReplaced ? after : patchOf(before, after);
      await send(path, { method: isReplaced ? "PUT" : "PATCH", body, headers: { "if-match": base.etag } });
      return leave();
    } catch (refused) {
      setError(refused as Error);
      if (lostRace(refused)) await look();
    }
    setBusy(false);
  };
  const look = () =>
    readRecord(path).then(
      (now) => {
        setNewer(now);
        setError(undefined);
      },
      (refused: Error) => setError(refused),
    );
  const goOn = (next: Drafts, from: Stored) => {
    setDrafts(next);
    setBase(from);
    setNewer(undefined);
  };
  if (isMissing(error)) {
    return (
      <Notice title={`The ${resource.name} ${id} was deleted meanwhile.`}>
        <a class="link" href={linkTo(["data", resource.name, id])}>
          Its history
        </a>
      </Notice>
    );
  }
  return (
    <RecordForm
      label={`Edit ${resource.name} ${id}`}
      fields={fields}
      drafts={drafts}
      onDraft={(name, text) => setDrafts((before) => ({ ...before, [name]: text }))}
      error={error}
      submit="Save"
      isDisabled={isBusy || newer !== undefined}
      onSubmit={() => void save()}
      cancel={linkTo(["data", resource.name, id])}
    >
      {newer && (
        <RaceNotice
          versions={[base.record["version"], newer.record["version"]]}
          differences={differencesOf(fields, drafts, base.record, newer.record)}
          onKeep={() => goOn(rebased(fields, drafts, base.record, newer.record), newer)}
          onDiscard={() => goOn(draftsOf(fields, newer.record), newer)}
        />
      )}
    </RecordForm>
  );
}
