/** Which case shows which requirement of the boot protocols, and what no case shows. */
import { FLAT_REQUIREMENTS } from "./requirements/flat.ts";
import { LINUX_X86_REQUIREMENTS } from "./requirements/linux_x86.ts";
import { PVH_REQUIREMENTS } from "./requirements/pvh.ts";
import type { Requirement } from "./requirements/requirement.ts";

export type { Requirement };

/** Every requirement, those of a protocol together. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...LINUX_X86_REQUIREMENTS,
  ...PVH_REQUIREMENTS,
  ...FLAT_REQUIREMENTS,
];

/**
 * Whether an id matches a pattern.
 *
 * @param id The id of a case.
 * @param pattern The pattern, as in {@linkcode Requirement.cases}.
 * @returns True if it does.
 */
export function matchesPattern(id: string, pattern: string): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${pattern.split("*").map(literal).join("[^/]*")}$`).test(id);
}

/**
 * The cases that show a requirement.
 *
 * @param requirement The requirement.
 * @param ids The ids to look among.
 * @returns Those that match one of its patterns, in their order.
 */
export function casesOf(requirement: Requirement, ids: readonly string[]): string[] {
  return ids.filter((id) => requirement.cases.some((pattern) => matchesPattern(id, pattern)));
}
