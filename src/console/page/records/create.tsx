import { useState } from "preact/hooks";
import { send } from "../api";
import { go, linkTo } from "../hash";
import { useUnsaved } from "../unsaved";
import { useTitle } from "../use-title";
import { type Drafts, type Fields, fieldsIn, isSame, newDrafts } from "./drafts";
import { fieldsOf } from "./fields";
import { RecordForm } from "./form";
import type { Resource } from "./listing";
import { storedIn } from "./use-record";

/** Makes a record. */
export function CreateRecord({ resource }: { resource: Resource & { readonly path: string } }) {
  useTitle(`New ${resource.name}`);
  const fields = fieldsOf(resource.input);
  const [drafts, setDrafts] = useState<Drafts>(() => newDrafts(fields));
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const letGo = useUnsaved(!isSame(drafts, newDrafts(fields)));
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { record } = await storedIn(await send(resource.path, { method: "POST", body: fieldsIn(fields, drafts) }));
      letGo();
      go(linkTo(["data", resource.name, String(record["id"])]), { replace: true });
    } catch (refused) {
      setBusy(false);
      setError(refused as Error);
    }
  };
  return (
    <RecordForm
      label={`New ${resource.name}`}
      fields={fields}
      drafts={drafts}
      onDraft={(name, text) => setDrafts((before) => ({ ...before, [name]: text }))}
      error={error}
      example={resource.example as Fields}
      submit={`Create ${resource.name}`}
      isDisabled={isBusy}
      onSubmit={() => void save()}
      cancel={linkTo(["data", resource.name])}
    />
  );
}
