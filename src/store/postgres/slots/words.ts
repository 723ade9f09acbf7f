/** Characters of words: letters, digits, and characters that Unicode does not know yet. */
const wordCharacter = /[\p{L}\p{N}\p{Co}\p{Cn}]/u;
/** Diacritics that are left out within a word. */
const diacritic = /[\u0300-\u0304\u0306-\u030c\u030f\u0311\u031b\u0323-\u0328\u032d\u032e\u0330\u0331]/;
const accented = /^[A-Za-z]\p{M}+$/u;

/**
 * Returns the words of a text, in their order, in the form in which a search compares them: in lower case, and Latin letters without
 * diacritics. These are the words of SQLite's tokenizer `unicode61 remove_diacritics 2`, except for characters newer than Unicode 6.1.
 */
export function wordsIn(text: string): string[] {
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (wordCharacter.test(character)) word += folded(character);
    else if (word !== "" && !diacritic.test(character)) {
      words.push(word);
      word = "";
    }
  }
  if (word !== "") words.push(word);
  return words;
}

/** Forms that were asked for before. Texts use few different characters. */
const known = new Map<string, string>();

function folded(character: string): string {
  let form = known.get(character);
  if (form === undefined) {
    form = foldedForm(character);
    known.set(character, form);
  }
  return form;
}

function foldedForm(character: string): string {
  const decomposed = character.normalize("NFD");
  if (accented.test(decomposed)) return (decomposed[0] as string).toLowerCase();
  // The way over upper case unites the forms of a letter, such as those of sigma.
  const form = character.toUpperCase().toLowerCase();
  return Array.from(form).length === 1 && character !== "ı" ? form : character.toLowerCase();
}
