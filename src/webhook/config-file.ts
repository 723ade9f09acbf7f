import { type Static, type TProperties, Type } from "@sinclair/typebox";

export const wholeUrl = "An absolute URL with https:// (or http://), such as https://example.com/hooks.";
export const startPlaces = '"now", "beginning", or a day or time such as "2026-11-01" or "2026-11-01T08:00:00Z".';

/** Canonical base64 of 24 to 64 bytes. */
const key = "(?:[A-Za-z0-9+/]{4}){8,20}(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?";
const longKey = "(?:[A-Za-z0-9+/]{4}){21}(?:[A-Za-z0-9+/][AQgw]==)?";
const secretWords = "whsec_ and 24 to 64 random bytes in base64, as --secret prints, or a list of up to 5 of them.";
const Secret = Type.String({ pattern: `^whsec_(?:${key}|${longKey})$`, description: secretWords });

/** Returns the schema of an object. A mistake names all fields, so that a misspelt one is found. */
function fieldsOf<Fields extends TProperties>(fields: Fields) {
  return Type.Object(fields, {
    additionalProperties: false,
    description: `An object with only these fields: ${Object.keys(fields).join(", ")}.`,
  });
}

const Entry = fieldsOf({
  name: Type.String({
    pattern: "^[a-z0-9][a-z0-9_-]{0,59}$",
    description: 'At most 60 lower-case letters, digits, - and _, such as "crm".',
  }),
  url: Type.String({ pattern: "^[hH][tT][tT][pP][sS]?://", description: wholeUrl }),
  events: Type.Array(Type.String(), { minItems: 1, description: 'A list of event types or patterns, such as ["item.*"].' }),
  secret: Type.Union([Secret, Type.Array(Secret, { minItems: 1, maxItems: 5 })], { description: secretWords }),
  allowNetworks: Type.Optional(Type.Array(Type.String(), { description: 'A list of networks, such as ["10.0.0.0/8", "fd00::/8"].' })),
  timeoutMs: Type.Optional(whole(100, 120_000, "milliseconds")),
  concurrency: Type.Optional(whole(1, 100, "concurrent deliveries")),
  ratePerSecond: Type.Optional(whole(1, 1_000_000, "deliveries per second")),
  retry: Type.Optional(
    fieldsOf({
      attempts: Type.Optional(Type.Number()),
      firstDelayMs: Type.Optional(Type.Number()),
      factor: Type.Optional(Type.Number()),
      longestDelayMs: Type.Optional(Type.Number()),
    }),
  ),
  startFrom: Type.Optional(Type.String({ description: startPlaces })),
});
export type Entry = Static<typeof Entry>;

/** Schema of the config file. */
export const ConfigFile = fieldsOf({
  subscriptions: Type.Array(Entry, { minItems: 1, description: "A list with one entry per subscriber." }),
});
export type ConfigFile = Static<typeof ConfigFile>;

function whole(minimum: number, maximum: number, unit: string) {
  return Type.Integer({ minimum, maximum, description: `A whole number of ${unit} from ${minimum} to ${maximum}.` });
}
