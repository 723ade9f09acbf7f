// Generated from the files of src/domain/ by `bun run generate`. Do not edit.
import { item } from "./domain/item";

export const resources = { item };

declare global {
  interface WarrenResources {
    item: typeof item;
  }
}
