// Generated from the files of this folder by `bun run generate`. Do not edit.
import { item } from "./domain/item";

export const resources = { item };
