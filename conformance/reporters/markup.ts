/** Markup in which everything that is not markup is escaped. */

/** Text that is markup already. */
export class Markup {
  /** The markup. */
  readonly text: string;

  /**
   * Takes text for markup.
   *
   * @param text Markup, and trusted to be.
   */
  constructor(text: string) {
    this.text = text;
  }

  /**
   * The markup.
   *
   * @returns The text.
   */
  toString(): string {
    return this.text;
  }
}

/** What a template may hold: false and undefined are left out, arrays are joined. */
export type Content = Markup | string | number | false | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text that does nothing where it is shown: control characters become the pictures that Unicode has
 * for them. XML 1.0, 2.2 does not allow them, not even escaped; a terminal would obey them.
 *
 * @param text Any text, such as what a guest printed.
 * @returns The text; tabs and new lines stay, and what is no character at all becomes U+FFFD.
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (char) => {
    const code = char.charCodeAt(0);
    return code === 0x7f ? "\u2421" : String.fromCharCode(0x2400 + code);
  }).replace(/[\u0080-\u009f\ud800-\udfff\ufffe\uffff]/gu, "\ufffd");
}

/**
 * Escapes text for HTML and XML, also inside quotes.
 *
 * @param text Any text.
 * @returns The text as it may stand in a document.
 */
export function escapeMarkup(text: string): string {
  return printable(text).replace(/[&<>"']/g, (char) => ENTITIES[char]);
}

function render(content: Content): string {
  if (content === false || content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(render).join("");
  return escapeMarkup(String(content));
}

/**
 * Markup with values in it, for HTML and for XML.
 *
 * @param parts The markup.
 * @param values The values; what is not markup is escaped.
 * @returns The whole.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.reduce((all, part, i) => all + render(values[i - 1]) + part));
}
