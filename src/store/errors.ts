/** The store cannot take or give anything now: disk full, locked, broken. Nothing was changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The key stands for another change already. Nothing was changed. */
export class KeyReused extends Error {
  override readonly name = "KeyReused";
}
