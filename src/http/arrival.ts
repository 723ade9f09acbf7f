const arrivedAt = Symbol("arrived at");
type Arrived = Request & { [arrivedAt]?: number };

/** Notes when a request came. Kept on the request itself, which costs least. */
export function noteArrival(request: Request, now: number): void {
  (request as Arrived)[arrivedAt] = now;
}

/** Milliseconds since 1970; undefined where nobody noted it. */
export function arrivalOf(request: Request): number | undefined {
  return (request as Arrived)[arrivedAt];
}
