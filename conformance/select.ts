/** Which cases a command line asks for. */
import { type Case, formatId } from "./case.ts";
import { CASES } from "./cases/all.ts";
import { ownKernelCase } from "./cases/own_kernel.ts";
import type { Options } from "./options.ts";

/**
 * The cases that are asked for, in all shards together.
 *
 * @param options What the user asks for.
 * @returns The cases, in their order.
 * @throws {Error} If a kernel of the user's own cannot be read or is none.
 */
export function selectCases({ own, filters }: Options): readonly Case[] {
  const all = own === undefined ? CASES : [ownKernelCase(own)];
  if (filters.length === 0) return all;
  return all.filter(({ id }) => filters.some((text) => formatId(id).includes(text.toLowerCase())));
}
