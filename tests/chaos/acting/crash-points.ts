/** Points at which a consumer can be made to crash while its handler changes records. */
export const consumerPoints = {
  "before-reading": "before the handler has read anything",
  "after-reading": "between what the handler reads and what it changes",
  "before-commit": "when the handler has returned, before its changes are committed",
  "during-commit": "while they are committed",
  "after-commit": "after that commit, before the tables of `exactlyOnce` and the acknowledgement",
  "before-ack": "after all commits, before the acknowledgement",
} as const;

/** Points at which the API can be made to crash. */
export const apiPoints = {
  "before-change": "before it commits what a handler of another process changes",
  "after-change": "after that commit, before it answers",
  "before-timer": "before it commits the event of a timer that is due",
  "after-timer": "immediately after that commit",
} as const;

/** Points at which the API can be made to crash around the event of a schedule. */
export const tickPoints = {
  "before-tick": "before the API commits the event of a schedule",
  "after-tick": "after that commit, before it notes it in the schedule",
} as const;

export type ActingPoint = keyof typeof consumerPoints | keyof typeof apiPoints | keyof typeof tickPoints;
