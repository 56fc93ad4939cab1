/** Compares what our init saw in Linux' userland with what the kernel was given. */
import type { Mismatch, Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";

/**
 * Makes a judge of userland.
 *
 * @param payload What the initrd's /payload holds.
 * @param version The kernel's release as /proc/version must begin, e.g. `"Linux version 6.1."`.
 * @returns The judge.
 */
export function judgeUserland(
  payload: Uint8Array,
  version: string,
): (seen: Observation) => Mismatch[] {
  return ({ serial, plan, options }) => {
    const lines = serial.split("\n").map((line) => line.trimEnd());
    const mismatches: Mismatch[] = [];
    const said = (name: string) =>
      lines.filter((line) => line.startsWith(`INIT ${name}=`)).map((line) =>
        line.slice(`INIT ${name}=`.length)
      );
    const expect = (what: string, actual: string | undefined, ok: boolean, expected: string) => {
      if (!ok) mismatches.push({ what: `INIT ${what}`, expected, actual: actual ?? "absent" });
    };
    for (const mark of ["begin", "end"]) {
      const there = lines.includes(`INIT ${mark}`);
      expect(mark, there ? mark : undefined, there, "a line of its own");
    }
    for (const error of said("error")) expect("error", error, false, "none");
    const [release] = said("version");
    expect("version", release, release?.startsWith(version) ?? false, version);
    const [cmdline] = said("cmdline");
    expect("cmdline", cmdline, cmdline === String(options.cmdline), String(options.cmdline));
    const [size] = said("payload.size");
    expect("payload.size", size, size === `${payload.length}`, `${payload.length}`);
    const [crc] = said("payload.crc32");
    expect("payload.crc32", crc, crc === formatCrc32(payload), formatCrc32(payload));

    const ram = said("iomem").map(rangeOf);
    expect("iomem", undefined, ram.length > 0, "System RAM");
    // OpenSBI reserves its own RAM in the tree it passes on, so that Linux counts it as System RAM.
    const usable = plan.arch === "riscv64"
      ? plan.ram
      : plan.memoryMap.filter(({ type }) => type === "usable");
    for (const range of ram) {
      const inside = usable.some(({ start, size }) =>
        range !== undefined && range.start >= start && range.end <= start + size
      );
      const text = range && `0x${range.start.toString(16)}..0x${range.end.toString(16)}`;
      expect("iomem System RAM", text, inside, "inside a usable entry of the memory map");
    }
    return mismatches;
  };
}

/** "00001000-0009fbff : System RAM", the end inclusive. */
function rangeOf(line: string): { start: bigint; end: bigint } | undefined {
  const match = /^([0-9a-f]+)-([0-9a-f]+) :/.exec(line);
  return match ? { start: BigInt(`0x${match[1]}`), end: BigInt(`0x${match[2]}`) + 1n } : undefined;
}
