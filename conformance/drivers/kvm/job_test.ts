import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Cmdline } from "../../../mod.ts";
import { decodeJob, encodeJob, type Job } from "./job.ts";

const RAM = [{ start: 0n, size: 64n << 20n }];

describe("encodeJob and decodeJob", () => {
  it("keep addresses beyond a double's reach, bytes and nested options", () => {
    const job: Job = {
      kernel: "/kernels/vmlinux",
      ram: [{ start: 0n, size: 3n << 30n }, { start: 1n << 32n, size: (1n << 53n) + 1n }],
      options: {
        protocol: "linux64",
        cmdline: 'quoted="é $bigint"',
        initrd: Uint8Array.of(0, 255, 1),
        reservations: [{ name: "acpi", start: 1n, size: 2n, type: "acpi" }],
        setupData: [{ type: 9, data: new Uint8Array(33).fill(7) }],
        modules: [{ source: Uint8Array.of(5), cmdline: "one" }],
      },
      dirt: 0xa5,
      interrupts: true,
      planFile: "/somewhere/plan.json",
    };
    assertEquals(decodeJob(encodeJob(job)), job);
  });

  it("read sources, and take the text of a command line", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const initrd = {
      size: 3,
      readAt: (offset: number, target: Uint8Array) => {
        target.set(bytes.subarray(offset, offset + 1));
        return 1;
      },
    };
    const cmdline = new Cmdline(64);
    cmdline.insertStr("a b");
    const text = encodeJob({
      ...{ kernel: "k", ram: RAM, planFile: "p", interrupts: false },
      options: { initrd, cmdline },
    });
    const { options } = decodeJob(text);
    assertEquals([options.initrd, options.cmdline], [bytes, "a b"]);
  });
});
