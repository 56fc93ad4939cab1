import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { arm64Image, bzImage, elfImage, pattern, pvhImage } from "../fuzz/arbitraries/images.ts";
import {
  dirtyRam,
  failingSource,
  refusal,
  shortSource,
  shrunkSource,
} from "../fuzz/arbitraries/machines.ts";
import { faults } from "../fuzz/arbitraries/plans.ts";
import { VIRT_ARM64 } from "../fuzz/arbitraries/virt.ts";
import { applyPlan, bootLinux, planBoot } from "./boot.ts";
import type { X86CpuState } from "./cpu/state.ts";
import { GuestMemory } from "./memory/guest_memory.ts";
import { type BootOptions, type BootProtocol, formatPlan, planToJson } from "./protocols/plan.ts";
import { Cmdline } from "./params/cmdline.ts";

const RAM = [{ start: 0n, size: 0x400_0000n }];

describe("planBoot: the protocol", () => {
  const protocolOf = (kernel: Uint8Array, options: Partial<BootOptions> = {}) =>
    planBoot({ ram: RAM }, { kernel, ...options }).protocol;

  it("is the kernel's own choice", () => {
    assertEquals(protocolOf(bzImage()), "linux64");
    assertEquals(protocolOf(elfImage()), "linux64");
    assertEquals(protocolOf(bzImage({ xloadflags: 0 })), "linux32");
    assertEquals(protocolOf(bzImage({ version: 0x20b })), "linux32"); // xloadflags came with 2.12
    assertEquals(protocolOf(elfImage({ bits: 32 })), "linux32");
    assertEquals(protocolOf(pvhImage()), "pvh");
    assertEquals(protocolOf(pvhImage(undefined, undefined, 32)), "pvh");
    assertEquals(protocolOf(arm64Image(), { deviceTree: VIRT_ARM64 }), "arm64");
  });

  it("is the caller's choice where the kernel can be booted by it", () => {
    assertEquals(protocolOf(pvhImage(), { protocol: "linux64" }), "linux64");
    assertEquals(protocolOf(bzImage(), { protocol: "linux32" }), "linux32");
    const i386 = pvhImage(undefined, undefined, 32);
    assertEquals(protocolOf(i386, { protocol: "linux32" }), "linux32");
    const wrong: [Uint8Array, BootProtocol][] = [
      [bzImage(), "pvh"],
      [bzImage(), "arm64"],
      [elfImage(), "arm64"],
      [arm64Image(), "linux64"],
      [arm64Image(), "pvh"],
    ];
    for (const [kernel, protocol] of wrong) {
      assertEquals(refusal(() => protocolOf(kernel, { protocol })), {
        code: "PROTOCOL_MISMATCH",
        field: "protocol",
      });
    }
    const unknown = "PVH" as BootProtocol;
    assertEquals(refusal(() => protocolOf(pvhImage(), { protocol: unknown })), {
      code: "INVALID_OPTION",
      field: "protocol",
    });
  });

  it("refuses an option that it has no use for", () => {
    const seeds = {};
    const cases: [Uint8Array, Partial<BootOptions>, string][] = [
      [bzImage(), { modules: [] }, "modules"],
      [bzImage(), { protocol: "linux32", modules: [] }, "modules"],
      [bzImage(), { deviceTree: VIRT_ARM64 }, "deviceTree"],
      [bzImage(), { seeds }, "seeds"],
      [bzImage(), { exceptionLevel: 1 }, "exceptionLevel"],
      [pvhImage(), { setupData: [] }, "setupData"],
      [pvhImage(), { seeds }, "seeds"],
      [arm64Image(), { deviceTree: VIRT_ARM64, rsdp: 1n }, "rsdp"],
      [arm64Image(), { deviceTree: VIRT_ARM64, setupData: [] }, "setupData"],
      [arm64Image(), { deviceTree: VIRT_ARM64, modules: [] }, "modules"],
      [arm64Image(), { deviceTree: VIRT_ARM64, initrdPlacement: "low" }, "initrdPlacement"],
      [bzImage(), { initrdPlacement: "top" as "low" }, "initrdPlacement"],
    ];
    for (const [kernel, options, field] of cases) {
      assertEquals(refusal(() => protocolOf(kernel, options)), { code: "INVALID_OPTION", field });
    }
  });
});

describe("planBoot: the layout", () => {
  const plan = (ram: { start: bigint; size: bigint }[]) => planBoot({ ram }, { kernel: bzImage() });

  it("is ranges in any order; those that touch are one", () => {
    const pieces = [
      { start: 0x100_8000n, size: 0x10_0000n }, // the kernel lies over this boundary
      { start: 0x10_0000n, size: 0xf0_8000n },
      { start: 0n, size: 0x10_0000n },
    ];
    const planned = plan(pieces);
    assertEquals(planned.ram, [{ start: 0n, size: 0x110_8000n }]);
    assertEquals(faults(planned), []);
  });

  it("is refused when it is empty, overlaps itself or passes 2^64", () => {
    assertEquals(refusal(() => plan([])).code, "INVALID_MEMORY");
    assertEquals(refusal(() => plan([{ start: 0n, size: 0n }])).code, "INVALID_MEMORY");
    const twice = [...RAM, { start: 0x3ff_ffffn, size: 2n }];
    assertEquals(refusal(() => plan(twice)), {
      code: "INVALID_MEMORY",
      between: ["region", "region"],
    });
    assertEquals(refusal(() => plan([{ start: 1n, size: 1n << 64n }])).code, "ADDRESS_OVERFLOW");
    const numbers = [{ start: 0, size: 0x400_0000 }] as unknown as {
      start: bigint;
      size: bigint;
    }[];
    assertThrows(() => plan(numbers), TypeError);
  });

  it("is the same for GuestMemory and its ranges, and plans are the same every time", () => {
    const { regions } = dirtyRam({ start: 0n, size: 0x400_0000 });
    const memory = GuestMemory.of(regions);
    const options = { kernel: bzImage(), initrd: pattern(100), cmdline: "quiet" };
    const json = JSON.stringify(planToJson(planBoot(memory, options)));
    assertEquals(JSON.stringify(planToJson(planBoot({ ram: RAM }, options))), json);
    assertEquals(JSON.stringify(planToJson(planBoot(memory, options))), json);
  });
});

describe("planBoot: the inputs", () => {
  it("throws a TypeError for a kernel or an initrd that is neither bytes nor a source", () => {
    const kernel = "vmlinuz" as unknown as Uint8Array;
    assertThrows(() => planBoot({ ram: RAM }, { kernel }), TypeError, "kernel");
    assertThrows(
      () => planBoot({ ram: RAM }, { kernel: bzImage(), initrd: kernel }),
      TypeError,
      "initrd",
    );
  });

  it("takes a Cmdline for a command line", () => {
    const cmdline = new Cmdline(100);
    cmdline.insert("console", "ttyS0");
    const { placements } = planBoot({ ram: RAM }, { kernel: bzImage(), cmdline });
    const content = placements.find(({ name }) => name === "command line")!.content;
    const expected = new TextEncoder().encode("console=ttyS0\0");
    assertEquals(content.kind === "bytes" && content.bytes, expected);
  });

  it("reads the kernel's headers only, the initrd not at all", () => {
    const kernel = failingSource(bzImage({ kernel: pattern(0x8000) }), 0x400);
    planBoot({ ram: RAM }, { kernel, initrd: failingSource(pattern(100), 0) });
    assertEquals(
      refusal(() => planBoot({ ram: RAM }, { kernel: failingSource(bzImage(), 0x200) })),
      {
        code: "SOURCE_FAILED",
        field: "kernel",
        offset: 0,
      },
    );
  });
});

describe("bootLinux with wrong inputs: a sentence, and every byte of memory as it was", () => {
  const good = bzImage({ kernel: pattern(0x2000) });
  const jpeg = new Uint8Array(5000);
  jpeg.set([0xff, 0xd8, 0xff, 0xe0]);
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0);
  const small = 8 << 20;
  const cases: [string, Partial<BootOptions>, string, string[], number?][] = [
    ["a JPEG", { kernel: jpeg }, "UNKNOWN_FORMAT", ["JPEG", "bzImage"]],
    ["an empty file", { kernel: new Uint8Array(0) }, "UNKNOWN_FORMAT", ["empty"]],
    ["a gzip", { kernel: gzip }, "UNSUPPORTED_FORMAT", ["gzip", "unwrap"]],
    [
      "an i386 bzImage",
      { kernel: bzImage({ xloadflags: 0 }), protocol: "linux64" },
      "BZIMAGE_NO_64BIT_ENTRY",
      ["i386", "try protocol linux32"],
    ],
    [
      "an i386 vmlinux",
      { kernel: elfImage({ bits: 32 }), protocol: "linux64" },
      "ELF_CLASS",
      ["ELF32", "try protocol linux32"],
    ],
    [
      "an x86_64 vmlinux",
      { kernel: elfImage(), protocol: "linux32" },
      "ELF_CLASS",
      ["ELF64", "64-bit code", "try protocol linux64"],
    ],
    ["8 MiB of RAM", {}, "NO_SPACE", ["kernel", "[0x0..0x800000)", "more RAM"], small],
    ["an initrd larger than RAM", { initrd: new Uint8Array(33 << 20) }, "NO_SPACE", [
      "initrd",
      "0x2100000",
    ]],
    ["5,000 characters", { cmdline: "x".repeat(5000) }, "CMDLINE_TOO_LONG", [
      "5000",
      "2047",
      "2953",
    ]],
    ["an empty initrd", { initrd: new Uint8Array(0) }, "EMPTY_INITRD", ["leave the option out"]],
    ["no PVH note", { kernel: elfImage(), protocol: "pvh" }, "PVH_NOT_PRESENT", ["linux64"]],
    [
      "an i386 vmlinux without PVH note",
      { kernel: elfImage({ bits: 32 }), protocol: "pvh" },
      "PVH_NOT_PRESENT",
      ["try protocol linux32"],
    ],
    ["no device tree", { kernel: arm64Image() }, "INVALID_OPTION", ["deviceTree", "DTB"]],
  ];
  for (const [what, options, code, words, size = 32 << 20] of cases) {
    it(what, () => {
      const dirty = dirtyRam({ start: 0n, size });
      const boot = () => bootLinux(GuestMemory.of(dirty.regions), { kernel: good, ...options });
      assertEquals(refusal(boot).code, code);
      const { message } = assertThrows(boot) as Error;
      assertStringIncludes(message, "Cannot ");
      for (const word of words) assertStringIncludes(message, word);
      assertEquals(/[.'\n]$|n't/.test(message), false, message);
      assertEquals(dirty.changes(), []);
    });
  }

  it("a bzImage and ELF files that end anywhere before their last byte", () => {
    const kernels: [Uint8Array, number][] = [
      [good, 15], // the padding of the last 16 bytes may be missing
      [pvhImage(), 0],
      [elfImage({ segments: [{ bytes: pattern(0x800), p_memsz: 0x1000 }] }), 0],
    ];
    for (const [kernel, padding] of kernels) {
      const dirty = dirtyRam({ start: 0n, size: 32 << 20 });
      const memory = GuestMemory.of(dirty.regions);
      planBoot(memory, { kernel });
      for (let end = 0; end < kernel.length - padding; end++) {
        const { code } = refusal(() => bootLinux(memory, { kernel: kernel.subarray(0, end) }));
        assertEquals(["TRUNCATED", "UNKNOWN_FORMAT"].includes(code), true, `${code} at ${end}`);
      }
      assertEquals(dirty.changes(), []);
    }
  });
});

describe("bootLinux with a source that misbehaves", () => {
  const kernel = bzImage({ kernel: pattern(0x8000) });

  it("takes short reads", () => {
    const memory = GuestMemory.of(dirtyRam({ start: 0n, size: 32 << 20 }).regions);
    bootLinux(memory, { kernel: shortSource(kernel, 13), initrd: shortSource(pattern(99), 1) });
    assertEquals(memory.read(0x100_0000n, 0x8000), pattern(0x8000));
  });

  it("is PARTIALLY_APPLIED while it is written, and only planned ranges are touched", () => {
    for (const broken of [failingSource, shrunkSource]) {
      for (const which of ["kernel", "initrd"]) {
        const dirty = dirtyRam({ start: 0n, size: 32 << 20 });
        const memory = GuestMemory.of(dirty.regions);
        const initrd = new Uint8Array(0x3000);
        const options = which === "kernel"
          ? { kernel: broken(kernel, 0x1000), initrd }
          : { kernel, initrd: broken(initrd, 0x1000) };
        const plan = planBoot(memory, options);
        const { code, between } = refusal(() => applyPlan(memory, plan));
        assertEquals([code, between], ["PARTIALLY_APPLIED", [which]]);
        const loaded = plan.placements.filter(({ name }) => name === "kernel" || name === "initrd");
        for (const { start, end } of dirty.changes()) {
          const inside = loaded.some((p) => start >= p.start && end <= p.start + p.size);
          assertEquals(inside, true, `changed [${start}..${end})`);
        }
      }
    }
  });
});

describe("applyPlan", () => {
  it("refuses memory that the plan does not fit, and leaves it as it was", () => {
    const plan = planBoot({ ram: RAM }, { kernel: bzImage(), initrd: pattern(0x1000) });
    const dirty = dirtyRam({ start: 0n, size: 0x300_0000 });
    assertEquals(refusal(() => applyPlan(GuestMemory.of(dirty.regions), plan)), {
      code: "OUTSIDE_RAM",
      between: ["RAM of the plan", "guest RAM"],
    });
    assertEquals(dirty.changes(), []);
  });

  it("writes what bootLinux writes, and bootLinux returns the plan", () => {
    const [a, b] = [
      dirtyRam({ start: 0n, size: 32 << 20 }),
      dirtyRam({ start: 0n, size: 32 << 20 }),
    ];
    const options = { kernel: bzImage(), initrd: pattern(0x1801, 4), cmdline: "quiet" };
    const booted = bootLinux(GuestMemory.of(a.regions), options);
    const memory = GuestMemory.of(b.regions);
    applyPlan(memory, planBoot(memory, options));
    assertEquals(a.changes(), b.changes());
    const { rip, rsi } = booted.cpu as X86CpuState;
    assertEquals(memory.read(rip - 0x200n, 4096), pattern(4096));
    assertEquals(memory.read(rsi + 0x202n, 4), new TextEncoder().encode("HdrS"));
  });
});

describe("planBoot at its limits", () => {
  const kernel = bzImage();

  it("plans an ELF file of 131,072 segments with BSS: nothing is spread over the stack", () => {
    const count = 131_072;
    const bytes = new Uint8Array(64 + 56 * count + 64);
    const view = new DataView(bytes.buffer);
    const section = 64 + 56 * count;
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(0x10, 2, true); // ET_EXEC
    view.setUint16(0x12, 62, true); // EM_X86_64
    view.setUint32(0x14, 1, true);
    view.setBigUint64(0x18, 0x10_0000n, true); // e_entry
    view.setBigUint64(0x20, 64n, true); // e_phoff
    view.setBigUint64(0x28, BigInt(section), true); // e_shoff
    view.setUint16(0x34, 64, true);
    view.setUint16(0x36, 56, true);
    view.setUint16(0x38, 0xffff, true); // PN_XNUM
    view.setUint32(section + 0x2c, count, true); // sh_info
    for (let i = 0; i < count; i++) {
      const at = 64 + 56 * i;
      view.setUint32(at, 1, true); // PT_LOAD
      view.setBigUint64(at + 0x18, 0x10_0000n + 16n * BigInt(i), true); // p_paddr
      view.setBigUint64(at + 0x20, 1n, true); // p_filesz
      view.setBigUint64(at + 0x28, 8n, true); // p_memsz
    }
    const plan = planBoot({ ram: [{ start: 0n, size: 1n << 30n }] }, { kernel: bytes });
    assertEquals(
      plan.placements.filter(({ name }) => name.startsWith("kernel ")).length,
      2 * count,
    );
  });

  for (const name of ["reservations", "memoryMap", "modules", "setupData"] as const) {
    it(`refuses more than 1,024 ${name} before it looks at them`, () => {
      const options = { kernel, [name]: Array(1025).fill({}) };
      const protocol = name === "modules" ? "pvh" : "linux64";
      assertEquals(
        refusal(() => planBoot({ ram: RAM }, { ...options, protocol })).code,
        "LIMIT_EXCEEDED",
      );
    });
  }

  it("takes 1,024 reservations", () => {
    const reservations = Array.from({ length: 1024 }, (_, i) => ({
      name: `reservation ${i}`,
      start: 0x200_0000n + BigInt(i) * 0x2000n,
      size: 0x1000n,
    }));
    const ram = [{ start: 0n, size: 128n << 20n }];
    assertEquals(planBoot({ ram }, { kernel, reservations }).arch, "x86_64");
  });
});

describe("planToJson, formatPlan", () => {
  const plan = planBoot({ ram: RAM }, { kernel: bzImage(), initrd: pattern(0x1801) });

  it("are plain data with hexadecimal addresses", () => {
    const json = JSON.parse(JSON.stringify(planToJson(plan)));
    assertEquals(json.protocol, "linux64");
    assertEquals(json.cpu.rip, "0x1000200");
    assertEquals(json.ram, [{ start: "0x0", size: "0x4000000" }]);
    const initrd = json.placements.find(({ name }: { name: string }) => name === "initrd");
    const expected = { name: "initrd", start: "0x3ffe000", size: "0x1801", content: "source" };
    assertEquals(initrd, expected);
    assertEquals(json.memoryMap[0], { start: "0x0", size: "0x9fc00", type: "usable" });
  });

  it("have a line for every placement and every entry of the memory map", () => {
    const lines = formatPlan(plan).split("\n");
    assertStringIncludes(lines[0], "0x1000200");
    assertEquals(lines.length, 3 + plan.placements.length + plan.memoryMap.length);
    assertEquals(lines.some((line) => /0x3ffe000\s+0x1801\s+initrd$/.test(line)), true);
  });
});
