/** Shows the page in the theme that was chosen before, or else that of the system. */
export function applyTheme(): void {
  const chosen = localStorage.getItem("warren-theme");
  if (chosen) document.documentElement.dataset["theme"] = chosen;
}

/** Changes between light and dark. Choosing what the system has anyway follows the system again. */
export function switchTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = document.documentElement.dataset["theme"] ?? system;
  const next = now === "dark" ? "light" : "dark";
  if (next === system) {
    localStorage.removeItem("warren-theme");
    delete document.documentElement.dataset["theme"];
  } else {
    localStorage.setItem("warren-theme", next);
    document.documentElement.dataset["theme"] = next;
  }
}

/** Loads the fonts. In a style sheet, the bundler would put them into it as data. */
export async function loadFonts(): Promise<void> {
  const fonts = [
    new FontFace("Geist", 'url("geist.woff2")', { weight: "100 900" }),
    new FontFace("Geist Mono", 'url("geist-mono.woff2")', { weight: "100 900" }),
  ];
  for (const font of fonts) document.fonts.add(font);
  await Promise.allSettled(fonts.map((font) => font.load()));
}
