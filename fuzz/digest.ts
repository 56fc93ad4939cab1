/**
 * The whole answer to a boot in a line, to be compared between runtimes and kinds of sources.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { BootCase } from "./arbitraries/boots.ts";
import { largestInput, type Open, optionsOf } from "./boot_run.ts";
import { encodeInput } from "./codec.ts";
import { CanaryGuest } from "./guest.ts";
import { judge } from "./judge.ts";
import type { Library } from "./property.ts";

/**
 * Boots a case and says what came of it.
 *
 * @param library The library under test.
 * @param boot The case.
 * @param open Where its bytes come from.
 * @returns The refusal, or a hash over the plan and the whole of guest memory.
 */
export function digest(library: Library, boot: BootCase, open: Open): string {
  const guest = new CanaryGuest(library, boot.ram);
  const { value, refused } = judge(
    largestInput(boot),
    () => library.bootLinux(guest.memory, optionsOf(boot, open)),
  );
  if (refused) {
    const { code, field, offset, message } = refused;
    return `${code} ${field ?? "-"} ${offset ?? "-"} ${message}`;
  }
  const hash = createHash("sha256");
  hash.update(JSON.stringify(library.planToJson(value)));
  hash.update(encodeInput(value.cpu));
  for (const { bytes } of guest.regions) hash.update(bytes);
  return `${value.protocol} ${hash.digest("hex").slice(0, 32)}`;
}
