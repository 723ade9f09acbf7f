// Overwrites the registries of TypeBox, as any module in a process may.
import { FormatRegistry, TypeRegistry } from "@sinclair/typebox";
import { SetErrorFunction } from "@sinclair/typebox/errors";

for (const name of ["email", "date-time", "uri"]) FormatRegistry.Set(name, (text) => text === "poisoned");
for (const kind of ["Text", "String", "Decimal"]) TypeRegistry.Set(kind, () => false);
SetErrorFunction(() => "poisoned");
