/**
 * Fulfils when everything that can go on without a timer, the network or the test has done so. For saying that
 * something does *not* happen; what happens has a signal to wait for.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}
