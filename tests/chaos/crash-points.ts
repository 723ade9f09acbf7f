/** Points at which the relay can be made to crash. */
export const crashPoints = ["before-publish", "after-publish", "after-confirm", "after-position"] as const;
export type CrashPoint = (typeof crashPoints)[number];
