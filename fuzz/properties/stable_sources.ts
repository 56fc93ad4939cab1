import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelSource } from "../../mod.ts";
import { openFile } from "../../src/files.ts";
import { boots } from "../arbitraries/boots.ts";
import { sourceWith } from "../faulty_source.ts";
import { type Open, plan } from "../boot_run.ts";
import { digest } from "../digest.ts";
import { property, Violation } from "../property.ts";

/** Bytes, and zeros behind them. */
function paddedTo4GiB(bytes: Uint8Array): KernelSource {
  return {
    // Less than any segment, were it of 32 bits
    size: 2 ** 32 + bytes.length - 1,
    readAt(offset, target) {
      target.fill(0);
      target.set(bytes.subarray(offset, offset + target.length));
      return target.length;
    },
  };
}

/** A file that is closed stays closed, and says so. */
function requireClosed(source: ReturnType<typeof openFile>): void {
  source.close();
  try {
    source.readAt(0, new Uint8Array(1));
  } catch (error) {
    if (/^Cannot read file/.test((error as Error).message)) return;
    throw new Violation("a closed file is read", String(error));
  }
  throw new Violation("a closed file is read");
}

export default property({
  name: "stable-sources",
  says: "the answer is the same from bytes, from short reads, from a file, and after another boot",
  inputs: boots,
  share: 0.5,
  check(boot, library) {
    const expected = digest(library, boot, (bytes) => bytes);
    const short = digest(library, boot, (bytes) => sourceWith(bytes, { kind: "short", most: 61 }));
    if (short !== expected) throw new Violation("short reads", `${short}, not ${expected}`);

    const directory = mkdtempSync(join(tmpdir(), "fuzz-"));
    const opened: ReturnType<typeof openFile>[] = [];
    const fromFile: Open = (bytes, what) => {
      const path = join(directory, what);
      const fd = openSync(path, "w");
      if (bytes.length > 0) writeSync(fd, bytes);
      closeSync(fd);
      const source = openFile(path);
      opened.push(source);
      return source;
    };
    try {
      const file = digest(library, boot, fromFile);
      if (file !== expected) throw new Violation("from a file", `${file}, not ${expected}`);
    } finally {
      opened.forEach((source) => source.close());
      rmSync(directory, { recursive: true, force: true });
    }
    opened.forEach(requireClosed);
    // Nor what lies behind an ELF file, were it 4 GiB
    if (boot.kernel[0] === 0x7f && !/^[A-Z]/.test(expected)) {
      const padded: Open = (bytes, what) => what === "kernel" ? paddedTo4GiB(bytes) : bytes;
      const huge = digest(library, boot, padded);
      if (huge !== expected) throw new Violation("a padded file", `${huge}, not ${expected}`);
    }
    // Nor does it matter what was asked for before
    const { deviceTree, reservations = [] } = boot.options;
    const more = { name: "more", start: 1n << 40n, size: 1n };
    const other = {
      ...boot.options,
      cmdline: "other",
      reservations: [...reservations, more],
      ...deviceTree && { seeds: { kaslr: 1n, rng: Uint8Array.of(1) } },
    };
    digest(library, { ...boot, options: other }, (bytes) => bytes);
    // Anything with a toString is a command line
    const { cmdline } = boot.options;
    const spoken = {
      ...boot.options,
      cmdline: { length: cmdline?.length, toString: () => cmdline } as unknown as string,
    };
    const asObject = cmdline === undefined ? boot : { ...boot, options: spoken };
    const again = digest(library, asObject, (bytes) => bytes);
    if (again !== expected) throw new Violation("after another boot", `${again}, not ${expected}`);
    // Planning twice gives the same plan.
    const [first, second] = [plan(library, boot), plan(library, boot)];
    if (first.refused?.message !== second.refused?.message) throw new Violation("another refusal");
  },
});
