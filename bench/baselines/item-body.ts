import { type TUnsafe, Type } from "@sinclair/typebox";
import { type Item, item } from "../../src/domain/item";

export type Fields = Pick<Item, "name"> & Partial<Pick<Item, "description" | "price">>;

/** Request body of the baselines, with the checks of the API's. A field with a default is optional. */
export const fields = Type.Object(
  Object.fromEntries(
    Object.entries(item.fields.properties).map(([name, schema]) => [name, "default" in schema ? Type.Optional(schema) : schema]),
  ),
  { additionalProperties: false },
) as unknown as TUnsafe<Fields>;

/** Parameters of an item's path. */
export const params = Type.Object({ id: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) });
