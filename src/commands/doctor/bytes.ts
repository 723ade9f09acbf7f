const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Formats a size, such as `512 bytes` or `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const size = bytes / 1024 ** power;
  return `${size.toLocaleString("en-US", { maximumFractionDigits: power === 0 || size >= 10 ? 0 : 1 })} ${units[power]}`;
}
