import { join } from "node:path";
import { item } from "../../src/domain/item";
import { Catalogue } from "../../src/schema/catalogue";
import { openSqliteStore } from "../../src/store/sqlite/store";

/** Writes items to a test's database before its API starts: `name-1`, `name-2`, … */
export async function seedItems(folder: string, count: number, name = "item"): Promise<void> {
  const store = openSqliteStore(join(folder, "data", "warren.db"), new Catalogue([item]).resources);
  const fields = (n: number) => ({ name: `${name}-${n}`, description: null, price: n });
  for (let made = 0; made < count; made += 1000) {
    await Promise.all(Array.from({ length: Math.min(1000, count - made) }, (_, n) => store.insert(item, fields(made + n + 1))));
  }
  await store.close();
}
