import type { Resource } from "../../../schema/resource";

/** How this program stores the records of a resource. */
export interface Layout {
  /** Names the resource in calls of the commit function: its place among the resources of this program, counted from 0. */
  readonly number: number;
  readonly resource: Resource;
  /** Number of the newest schema of the records. */
  readonly shape: number;
}
