/** What a requirement is. */

/** Something that a boot protocol demands of whoever starts a guest. */
export interface Requirement {
  /** Its name: `<protocol>.<what>`. */
  readonly id: string;
  /** The specification and its section. */
  readonly source: string;
  /** What it demands. */
  readonly text: string;
  /**
   * Patterns of the ids of the cases that show it: `*` stands for anything but a slash. None: no case
   * shows it, and every report says so.
   */
  readonly cases: readonly string[];
}
