/** How long a run will still take, by how long cases of each kind took so far. */

/** Kinds of cases that take about as long as each other, and how long before one has been seen. */
const KINDS = { refusal: 100, linux: 15_000, probe: 700 } as const;

type Kind = keyof typeof KINDS;

function kindOf(id: string): Kind {
  const [driver, , , , kernel = ""] = id.split("/");
  if (driver === "none") return "refusal";
  return kernel.startsWith("probe") ? "probe" : "linux";
}

/** An estimate that gets better while a run goes on. */
export class Estimate {
  readonly #jobs: number;
  readonly #pending = new Set<string>();
  /** When a case began, in milliseconds. */
  readonly #begun = new Map<string, number>();
  readonly #seen: { readonly [K in Kind]: { count: number; ms: number } } = {
    refusal: { count: 0, ms: 0 },
    linux: { count: 0, ms: 0 },
    probe: { count: 0, ms: 0 },
  };

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
   * @param ms How long it took.
   */
  end(id: string, ms: number): void {
    this.#pending.delete(id);
    this.#begun.delete(id);
    const seen = this.#seen[kindOf(id)];
    seen.count++;
    seen.ms += ms;
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
      return Math.max(0, this.#meanOf(kindOf(id)) - (begun === undefined ? 0 : now - begun));
    });
    const sum = each.reduce((all, ms) => all + ms, 0);
    return Math.max(sum / this.#jobs, ...each);
  }

  #meanOf(kind: Kind): number {
    const { count, ms } = this.#seen[kind];
    return count === 0 ? KINDS[kind] : ms / count;
  }
}
