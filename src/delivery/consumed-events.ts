import type { ErasedEvent, EventOf } from "../schema/event";
import type { Resources } from "../schema/registered";

/** Every event of every resource, in the requested versions. Narrow it by `event.type`. */
export type AnyEvent<Asked extends AskedTypes = NewestTypes> = EventOf<Resources[keyof Resources], Asked>;
type EventName = EventOf<Resources[keyof Resources]>["type"];
/** An event type, or a pattern: `*` matches one word, `#` matches any number of words. */
export type EventPattern = EventName | `${Extract<keyof Resources, string>}.erased` | `${string}*` | `*${string}` | "#";
/** Requested version of each event type. A type that is left out comes in its newest version. */
export type AskedTypes = { readonly [Type in EventName]?: number };
/** No versions requested: every event comes in the newest version of its type. */
export type NewestTypes = Record<never, never>;
/** The events that a pattern selects. */
export type Matching<Pattern extends EventPattern, Asked extends AskedTypes = NewestTypes> = [EventPattern] extends [Pattern]
  ? AnyEvent<Asked>
  : MatchingOne<Pattern, Asked>;
type MatchingOne<Pattern extends EventPattern, Asked extends AskedTypes> = Pattern extends EventName
  ? Extract<AnyEvent<Asked>, { readonly type: Pattern }>
  : Pattern extends `${infer Name}.erased`
    ? ErasedEvent<Name extends "*" ? Extract<keyof Resources, string> : Name>
    : Pattern extends `${infer Name}.${string}`
      ? Name extends keyof Resources
        ? EventOf<Resources[Name], Asked>
        : AnyEvent<Asked>
      : AnyEvent<Asked>;
