/**
 * Debian's order of package versions.
 *
 * The rules: deb-version(7), "Sorting algorithm".
 *
 * @module
 */

/**
 * Compares two Debian package versions.
 *
 * @param a A version, e.g. `6.12.9-1~deb12u1`.
 * @param b Another one.
 * @returns A negative number if `a` is older, a positive one if it is newer, 0 if they are equal.
 */
export function compareVersions(a: string, b: string): number {
  const left = split(a);
  const right = split(b);
  return left.epoch - right.epoch || comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision);
}

/**
 * Picks the newest of some packages.
 *
 * @param packages The packages; the order does not matter.
 * @returns The one with the highest version, or `undefined` if there is none.
 */
export function newest<T extends { version: string }>(packages: readonly T[]): T | undefined {
  return [...packages].sort((a, b) => compareVersions(b.version, a.version))[0];
}

/** Epoch, upstream version and revision; an absent epoch or revision counts as 0. */
function split(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = "0", upstream, revision = "0"] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/.exec(
    version.trim(),
  )!;
  return { epoch: Number(epoch), upstream, revision };
}

/** Compares by turns what is not a digit, character by character, and numbers. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (isText(a[i]) || isText(b[j])) {
      const difference = rank(a[i]) - rank(b[j]);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const x = /^\d*/.exec(a.slice(i))![0];
    const y = /^\d*/.exec(b.slice(j))![0];
    const difference = BigInt(x || "0") - BigInt(y || "0");
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    i += x.length;
    j += y.length;
  }
  return 0;
}

/** Whether there is a character, and it is not a digit. */
function isText(character: string | undefined): boolean {
  return character !== undefined && !/\d/.test(character);
}

/** `~` before the end of the part, that before letters, those before all else. */
function rank(character: string | undefined): number {
  if (character === "~") return -1;
  if (!isText(character)) return 0;
  return character!.codePointAt(0)! + (/[A-Za-z]/.test(character!) ? 0 : 256);
}
