import type { ComponentChildren } from "preact";
import { type Drafts, draftOf, type Fields } from "./drafts";
import type { Field } from "./fields";
import { mistakesOf } from "./refusals";

interface RecordFormProps {
  readonly label: string;
  readonly fields: readonly Field[];
  readonly drafts: Drafts;
  readonly onDraft: (name: string, text: string) => void;
  /** Why the record was not saved. */
  readonly error: Error | undefined;
  /** Shown in empty fields. */
  readonly example?: Fields;
  readonly submit: string;
  readonly isDisabled: boolean;
  readonly onSubmit: () => void;
  readonly cancel: string;
  readonly children?: ComponentChildren;
}

/** A form with a control for each field of a record. The API checks what it says. */
export function RecordForm({
  label,
  fields,
  drafts,
  onDraft,
  error,
  example,
  submit,
  isDisabled,
  onSubmit,
  cancel,
  children,
}: RecordFormProps) {
  const { byField, whole } = mistakesOf(error, fields);
  return (
    <form
      class="panel form record-form"
      aria-label={label}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {fields.map((field) => (
        <Control
          key={field.name}
          field={field}
          draft={drafts[field.name] ?? ""}
          placeholder={draftOf(field, example?.[field.name])}
          mistake={byField.get(field.name)}
          onDraft={(text) => onDraft(field.name, text)}
        />
      ))}
      {whole && (
        <p class="mistake" role="alert">
          {whole}
        </p>
      )}
      <div class="row">
        <button class="button main" type="submit" disabled={isDisabled}>
          {submit}
        </button>
        <a class="button" href={cancel}>
          Cancel
        </a>
      </div>
    </form>
  );
}

interface ControlProps {
  readonly field: Field;
  readonly draft: string;
  readonly placeholder: string;
  readonly mistake: string | undefined;
  readonly onDraft: (text: string) => void;
}

function Control({ field, draft, placeholder, mistake, onDraft }: ControlProps) {
  const { name, kind, isNullable, isRequired, description } = field;
  const id = `field-${name}`;
  const input = {
    id,
    value: draft,
    placeholder,
    "aria-invalid": mistake !== undefined,
    "aria-describedby": `${id}-about`,
    onInput: (event: { currentTarget: { value: string } }) => onDraft(event.currentTarget.value),
  };
  return (
    <div class="control">
      <label for={id}>
        {name} {(isNullable || !isRequired) && <span class="quiet">optional</span>}
      </label>
      {kind === "choice" && <Choice field={field} input={input} />}
      {(kind === "long" || kind === "json") && (
        <textarea {...input} class={kind === "json" ? "text mono" : "text"} rows={kind === "json" ? 6 : 3} spellcheck={kind === "long"} />
      )}
      {(kind === "text" || kind === "number") && (
        <input
          {...input}
          class="text"
          type={(field.format === "date" ? "date" : "text") as "text"}
          inputMode={kind === "number" ? "decimal" : "text"}
          autoComplete="off"
        />
      )}
      <p id={`${id}-about`} class={mistake ? "mistake" : "quiet"} role={mistake ? "alert" : undefined}>
        {mistake ?? [description, kind === "json" && "As JSON."].filter(Boolean).join(" ")}
      </p>
    </div>
  );
}

function Choice({ field: { words, isNullable, isRequired, initial }, input }: { field: Field; input: { id: string; value: string } }) {
  const { placeholder: _, ...rest } = input as typeof input & { placeholder?: string };
  const isEmptyAllowed = isNullable || !isRequired || initial === undefined;
  return (
    <select {...rest} class="text">
      {isEmptyAllowed && <option value="">{isNullable || !isRequired ? "none" : "choose one"}</option>}
      {words.map((word) => (
        <option key={String(word)} value={String(word)}>
          {String(word)}
        </option>
      ))}
    </select>
  );
}
