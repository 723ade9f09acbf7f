const arrivedAt = Symbol("arrived at");
type Arrived = Request & { [arrivedAt]?: number };

/** Records the time of arrival on the request itself, which is the cheapest place. */
export function noteArrival(request: Request, now: number): void {
  (request as Arrived)[arrivedAt] = now;
}

/** Returns the time of arrival in milliseconds since 1970, or undefined if it was not recorded. */
export function arrivalOf(request: Request): number | undefined {
  return (request as Arrived)[arrivedAt];
}
