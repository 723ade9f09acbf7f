import { Icon } from "./icons";

interface PickProps {
  readonly label: string;
  /** Empty for any. */
  readonly value: string;
  readonly options: readonly (string | { readonly value: string; readonly name: string })[];
  readonly any?: string;
  readonly onPick: (value: string) => void;
}

/** A filter with a few choices. */
export function Pick({ label, value, options, any = "any", onPick }: PickProps) {
  const all = options.map((option) => (typeof option === "string" ? { value: option, name: option } : option));
  // A link may ask for what is not known yet.
  const shown = value === "" || all.some((one) => one.value === value) ? all : [...all, { value, name: value }];
  return (
    <label class="field pick">
      {label}
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        <option value="">{any}</option>
        {shown.map((one) => (
          <option key={one.value} value={one.value}>
            {one.name}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}
