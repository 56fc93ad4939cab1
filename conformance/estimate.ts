/** How long a run will still take, by how long cases of each kind took so far. */

/** Kinds of cases that take about as long as each other, and how long before one has been seen. */
const KINDS = { refusal: 100, linux: 15_000, probe: 700, random: 5_000 } as const;

function kindOf(id: string): keyof typeof KINDS {
  const [driver, , , , kernel = "", what] = id.split("/");
  if (driver === "none") return "refusal";
  if (what === "random") return "random";
  return kernel.startsWith("probe") ? "probe" : "linux";
}

/** Cases that are alike: of a kind, by the same driver, on the same architecture. */
function groupOf(id: string): string {
  const [driver, , arch] = id.split("/");
  return `${driver} ${arch} ${kindOf(id)}`;
}

/** An estimate that gets better while a run goes on. */
export class Estimate {
  readonly #jobs: number;
  readonly #pending = new Set<string>();
  /** When a case began, in milliseconds. */
  readonly #begun = new Map<string, number>();
  readonly #seen = new Map<string, { count: number; ms: number }>();

  /**
   * Starts with what is to be done.
   *
   * @param ids The ids of the cases.
   * @param jobs How many run at a time.
   */
  constructor(ids: readonly string[], jobs: number) {
    this.#jobs = jobs;
    for (const id of ids) this.#pending.add(id);
  }

  /**
   * A case begins.
   *
   * @param id Its id.
   * @param now The time, in milliseconds.
   */
  begin(id: string, now: number): void {
    this.#begun.set(id, now);
  }

  /**
   * A case has ended.
   *
   * @param id Its id.
   * @param ms How long it took; undefined if it was skipped, which says nothing of the others.
   */
  end(id: string, ms: number | undefined): void {
    this.#pending.delete(id);
    this.#begun.delete(id);
    if (ms === undefined) return;
    const group = groupOf(id);
    const seen = this.#seen.get(group) ?? { count: 0, ms: 0 };
    this.#seen.set(group, { count: seen.count + 1, ms: seen.ms + ms });
  }

  /**
   * What is left.
   *
   * @param now The time, in milliseconds.
   * @returns Milliseconds: all work left, over the jobs; no less than the longest case left.
   */
  left(now: number): number {
    const each = [...this.#pending].map((id) => {
      const begun = this.#begun.get(id);
      return Math.max(0, this.#meanOf(id) - (begun === undefined ? 0 : now - begun));
    });
    const sum = each.reduce((all, ms) => all + ms, 0);
    return Math.max(sum / this.#jobs, ...each);
  }

  #meanOf(id: string): number {
    const seen = this.#seen.get(groupOf(id));
    return seen === undefined ? KINDS[kindOf(id)] : seen.ms / seen.count;
  }
}
