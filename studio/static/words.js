/** The words a model knows: which of a text it lacks, what comes near, how a word goes on. Pure. */

const WORD = /[\p{L}\p{N}_]+(?:['-][\p{L}\p{N}_]+)*/gu;
const PART = /[\p{L}\p{N}_]+/gu;
const MOST_WORDS = 5;
const SAME_START = 4;

const fold = (text) => text.normalize("NFKC").toLowerCase();

/** Words of `text` that are not in `vocabulary`, as the tokenizer cuts them; none where it is open. */
export function unknownWords(text, vocabulary) {
  if (!vocabulary?.length) return [];
  const known = new Set(vocabulary);
  const words = fold(text).match(WORD) ?? [];
  const parts = words.flatMap((word) => (known.has(word) ? [] : word.match(PART)));
  return [...new Set(parts.filter((part) => !known.has(part)))];
}

/** Where the words `unknown` stand in `text`, as `[from, to]` in order. */
export function placesOf(text, unknown) {
  if (!unknown.length) return [];
  const wanted = new Set(unknown);
  return [...text.matchAll(PART)].filter((match) => wanted.has(fold(match[0])))
    .map((match) => [match.index, match.index + match[0].length]);
}

/** Letters to change, add, leave out or swap between two words; `most` + 1 for any more than that. */
export function distance(a, b, most = 3) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let last = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], last[j - 2] + 1);
    }
    [last, row] = [row, next];
  }
  return Math.min(row[b.length], most + 1);
}

function sharedStart(a, b) {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Known words that an unknown one may have meant, nearest first: misspelt, or of the same stem. */
export function nearWords(word, vocabulary, limit = 3) {
  const most = word.length < 5 ? 1 : 2;
  const scored = [];
  for (const known of vocabulary) {
    if (known.length < 3) continue;
    const away = distance(word, known, most);
    const start = sharedStart(word, known);
    const isStem = start >= SAME_START || (start >= 3 && start === known.length);
    // Two letters off and another beginning is another word, not a slip of the hand.
    if (away <= (start ? most : 1) || isStem) scored.push({ known, score: Math.min(away, isStem ? 2 : 9) - start / 20 });
  }
  scored.sort((a, b) => a.score - b.score || a.known.localeCompare(b.known));
  return scored.slice(0, limit).map((one) => one.known);
}

/** Everything that can be suggested: phrases by theme first, then words that stand in none alone. */
export function entriesOf(info) {
  const groups = info?.vocabulary ?? [];
  const entries = groups.flatMap(({ title, phrases }) => phrases.map((text) => ({ text, group: title })));
  const seen = new Set(entries.map(({ text }) => fold(text)));
  const rest = (info?.words ?? []).filter((word) => !seen.has(word));
  return [...entries, ...rest.map((text) => ({ text, group: "" }))].map((entry) => ({ ...entry, key: fold(entry.text) }));
}

/**
 * How the words before the caret could go on, or null: `options`, each with the place `from` which
 * it replaces; `typed`, the word at the caret; `isWhole`, whether that is already a word of the model.
 */
export function suggest(text, caret, entries, limit = 8) {
  const after = text.slice(caret, caret + 1);
  if (after && after.match(PART)) return null;
  const line = text.slice(text.lastIndexOf("\n", caret - 1) + 1, caret);
  const words = [...line.matchAll(PART)];
  const newest = words.at(-1);
  if (!newest || newest.index + newest[0].length !== line.length || /^\p{N}/u.test(newest[0])) return null;
  const options = [];
  const typed = fold(newest[0]);
  for (let count = Math.min(MOST_WORDS, words.length); count >= 1; count -= 1) {
    const at = words.at(-count).index;
    const start = fold(line.slice(at));
    const from = caret - (line.length - at);
    for (const entry of entries) {
      const isLonger = entry.key.startsWith(start) && entry.key !== start;
      if (isLonger && !options.some((one) => one.key === entry.key)) options.push({ ...entry, from });
    }
  }
  if (!options.length) return null;
  const isWhole = entries.some(({ key }) => key.split(" ").includes(typed));
  return { options: options.slice(0, limit), isWhole, typed };
}

/** An option as it is written in the place of `replaced`: a capital stays a capital. */
export function written(option, replaced) {
  const [first = ""] = replaced;
  const isCapital = first !== first.toLowerCase();
  return isCapital ? option[0].toUpperCase() + option.slice(1) : option;
}
