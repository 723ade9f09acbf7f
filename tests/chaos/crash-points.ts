/** Where the relay can be made to die. */
export const crashPoints = ["before-publish", "after-publish", "after-confirm", "after-position"] as const;
export type CrashPoint = (typeof crashPoints)[number];
