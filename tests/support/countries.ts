// Names of countries in many scripts, from Unicode's CLDR, which is part of Bun.

export interface Country {
  /** Emoji of its flag. */
  readonly flag: string;
  /** Its name in each language that has one. */
  readonly names: readonly string[];
}

const languages = "am ar chr dz el en ff-Adlm he hi hy ja ka km ko lo ml my ru si ta te th vi zh".split(" ");
const letters = Array.from({ length: 26 }, (_, index) => index);
const flagLetter = (index: number) => String.fromCodePoint(0x1f1e6 + index);
const codeLetter = (index: number) => String.fromCharCode(65 + index);

const regions = languages.map((language) => new Intl.DisplayNames(language, { type: "region", fallback: "none" }));
const named = (first: number, second: number): Country => ({
  flag: flagLetter(first) + flagLetter(second),
  names: regions.flatMap((region) => region.of(codeLetter(first) + codeLetter(second)) ?? []),
});

export const countries: readonly Country[] = letters
  .flatMap((first) => letters.map((second) => named(first, second)))
  .filter(({ names }) => names.length > 0);
