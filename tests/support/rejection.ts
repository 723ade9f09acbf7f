/** Resolves with the error that a promise rejects with. Throws if the promise resolves. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === "fulfilled") throw new Error(`Resolved with ${JSON.stringify(outcome.value)}.`);
  return outcome.reason as Error;
}
