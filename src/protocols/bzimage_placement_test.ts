import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { type BzImage, bzImage, pattern, peek } from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { faults } from "../../fuzz/arbitraries/plans.ts";
import { planBoot } from "../boot.ts";
import type { BootOptions } from "./plan.ts";

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const RAM = [{ start: 0n, size: 3n * GIB }, { start: 4n * GIB, size: 4n * GIB }];

/** Plans a bzImage with these fields and says where kernel and work area are. */
function place(fields: BzImage, options: Partial<BootOptions> = {}, ram = RAM) {
  const plan = planBoot({ ram }, { kernel: bzImage(fields), ...options });
  assertEquals(faults(plan, options.reservations), []);
  const of = (wanted: string) =>
    plan.placements.filter(({ name }) => name.startsWith(wanted))
      .map(({ start, size }) => ({ start, size }));
  const zeroPage = plan.placements.find(({ name }) => name === "zero page")!.content;
  if (zeroPage.kind !== "bytes") throw new Error("the zero page is not bytes");
  const [kernel] = of("kernel");
  return {
    plan,
    kernel: plan.placements.find(({ name }) => name === "kernel")!,
    work: of("kernel work area"),
    load: kernel.start,
    rip: plan.cpu.arch === "x86_64" ? plan.cpu.rip : 0n,
    zeroPage: zeroPage.bytes,
  };
}

const refused = (fields: BzImage, options: Partial<BootOptions> = {}, ram = RAM) =>
  refusal(() => planBoot({ ram }, { kernel: bzImage(fields), ...options }));

describe("planBoot of a bzImage: where it goes", () => {
  it("is pref_address, with init_size free from there, entered at 0x200", () => {
    const { kernel, work, rip, zeroPage } = place({});
    assertEquals([kernel.start, kernel.size], [0x1000000n, 4096n]);
    assertEquals(work, [{ start: 0x1001000n, size: 0xf000n }]);
    assertEquals(rip, 0x1000200n);
    assertEquals(peek(zeroPage, 0x214, 4), 0x1000000n); // code32_start
    assertEquals(peek(zeroPage, 0x230, 4), 0x200000n); // kernel_alignment
  });

  it("moves up by kernel_alignment when something is there", () => {
    const reservations = [{ name: "firmware", start: 0x100fff0n, size: 0x10n }];
    assertEquals(place({}, { reservations }).kernel.start, 0x1200000n);
    const below = [{ name: "firmware", start: 0xfff000n, size: 0x1000n }];
    assertEquals(place({}, { reservations: below }).kernel.start, 0x1000000n);
  });

  it("goes above 4 GiB only where xloadflags allow it", () => {
    const reservations = [{ name: "low", start: MIB, size: 3n * GIB - MIB }];
    assertEquals(place({}, { reservations }).kernel.start, 4n * GIB);
    assertEquals(refused({ xloadflags: 1 }, { reservations }), {
      code: "NO_SPACE",
      between: ["kernel", "low"],
    });
  });

  it("tries smaller alignments down to min_alignment, and says so in the zero page", () => {
    // Only 64 KiB at an odd 4 KiB are free above pref_address.
    const ram = [{ start: 0n, size: MIB }, { start: 0x1003000n, size: 0x10000n }];
    const low = place({ min_alignment: 12 }, {}, ram);
    assertEquals(low.kernel.start, 0x1003000n);
    assertEquals(peek(low.zeroPage, 0x230, 4), 0x1000n);
    assertEquals(refused({ min_alignment: 13 }, {}, ram).code, "NO_SPACE");
    assertEquals(refused({ min_alignment: 0 }, {}, ram).code, "NO_SPACE");
  });

  it("takes the largest alignment that works", () => {
    const ram = [{ start: 0n, size: MIB }, { start: 0x1008000n, size: 0x20000n }];
    const { kernel, zeroPage } = place({ min_alignment: 12 }, {}, ram);
    assertEquals(kernel.start, 0x1010000n);
    assertEquals(peek(zeroPage, 0x230, 4), 0x10000n);
  });

  it("takes a min_alignment of 64 and more for none", () => {
    for (const min_alignment of [64, 255]) place({ min_alignment });
  });

  it("does not move a kernel that is not relocatable", () => {
    const fields = { relocatable_kernel: 0 };
    assertEquals(place(fields).kernel.start, 0x1000000n);
    const reservations = [{ name: "firmware", start: 0x1000000n, size: 1n }];
    assertEquals(refused(fields, { reservations }), {
      code: "OVERLAP",
      between: ["kernel", "firmware"],
    });
    assertEquals(peek(place(fields).zeroPage, 0x230, 4), 0x200000n);
  });

  it("keeps init_size free at pref_address for one that moves itself there", () => {
    const fields = { relocatable_kernel: 0, kernel: pattern(0x3000) };
    const { kernel, work } = place(fields, { kernelAddress: MIB });
    assertEquals(kernel.start, MIB);
    assertEquals(work, [{ start: 0x1000000n, size: 0x10000n }]);
    const reservations = [{ name: "firmware", start: 0x100ffffn, size: 1n }];
    assertEquals(refused(fields, { kernelAddress: MIB, reservations }), {
      code: "OVERLAP",
      between: ["kernel work area", "firmware"],
    });
  });

  it("keeps init_size free where a relocatable kernel below pref_address runs", () => {
    const { kernel, work } = place({ kernel: pattern(0x3000) }, { kernelAddress: 2n * MIB });
    assertEquals(kernel.start, 2n * MIB);
    assertEquals(work, [{ start: 0x1000000n, size: 0x10000n }]);
  });

  it("rounds pref_address up to kernel_alignment for one that is loaded below", () => {
    const fields = { kernel: pattern(0x3000), pref_address: 0x1000001n };
    const { kernel, work } = place(fields, { kernelAddress: 2n * MIB });
    assertEquals(kernel.start, 2n * MIB);
    assertEquals(work, [{ start: 0x1200000n, size: 0x10000n }]);
  });

  it("reserves the kernel's own size where init_size is smaller or absent", () => {
    for (const fields of [{ init_size: 0 }, { init_size: 16 }, { jump: 0x5eeb }]) {
      const { kernel, work } = place({ kernel: pattern(0x5000), ...fields });
      assertEquals([kernel.start, kernel.size, work], [0x1000000n, 0x5000n, []]);
    }
  });

  it("takes 1 MiB for a pref_address that is absent or 0", () => {
    assertEquals(place({ pref_address: 0 }).kernel.start, 2n * MIB); // aligned
    assertEquals(place({ pref_address: 0, kernel_alignment: 0x1000 }).kernel.start, MIB);
  });
});

describe("planBoot of a bzImage: the caller's kernelAddress", () => {
  it("is taken, also above 4 GiB", () => {
    assertEquals(place({}, { kernelAddress: 0x2000000n }).rip, 0x2000200n);
    const high = place({}, { kernelAddress: 5n * GIB });
    assertEquals([high.kernel.start, high.rip], [5n * GIB, 5n * GIB + 0x200n]);
  });

  it("must be aligned to min_alignment at least", () => {
    assertEquals(refused({}, { kernelAddress: 0x2100000n }), {
      code: "MISALIGNED",
      field: "kernelAddress",
      between: ["kernel"],
    });
    const { zeroPage } = place({ min_alignment: 20 }, { kernelAddress: 0x2100000n });
    assertEquals(peek(zeroPage, 0x230, 4), 0x100000n);
  });

  it("must be RAM, below 4 GiB unless xloadflags allow more", () => {
    const outside = { code: "OUTSIDE_RAM", between: ["kernel", "guest RAM"] };
    assertEquals(refused({}, { kernelAddress: 0xd000_0000n }), outside);
    assertEquals(refused({}, { kernelAddress: 9n * GIB }), outside);
    assertEquals(refused({ xloadflags: 1 }, { kernelAddress: 5n * GIB }), {
      code: "NO_SPACE",
      field: "kernelAddress",
      between: ["kernel", "where this kernel can be loaded"],
    });
    const top = [{ start: 0n, size: 8n * GIB }];
    const straddling = { kernelAddress: 4n * GIB - 2n * MIB };
    place({ xloadflags: 1, init_size: 0x200000 }, straddling, top);
    assertEquals(refused({ xloadflags: 1, init_size: 0x200001 }, straddling, top).code, "NO_SPACE");
  });
});

describe("planBoot of a bzImage: how much of the file is loaded", () => {
  it("is what syssize says; bytes behind it are not part of the kernel", () => {
    const { kernel } = place({ kernel: pattern(0x2345), syssize: 0x200 });
    assertEquals(kernel.size, 0x2000n);
    assertEquals(kernel.content.kind === "source" && kernel.content.offset, 1024);
  });

  it("may lack the padding of the last 16 bytes, and not a byte more", () => {
    assertEquals(place({ kernel: pattern(0x1ff1) }).kernel.size, 0x1ff1n); // syssize 0x200
    assertEquals(refused({ kernel: pattern(0x1ff0), syssize: 0x200 }), {
      code: "TRUNCATED",
      field: "setup_header.syssize",
      offset: 0x1f4,
    });
    assertEquals(refused({ syssize: 0xffffffff }).code, "TRUNCATED");
  });

  it("must hold the payload, whose end may pass 32 bits", () => {
    const truncated = { code: "TRUNCATED", field: "setup_header.payload_length", offset: 0x24c };
    for (
      const [payload_offset, payload_length] of [
        ...[[0xff0, 0x11], [0xfffffff0, 0x20], [0x20, 0xfffffff0], [0xffffffff, 0xffffffff]],
      ]
    ) assertEquals(refused({ payload_offset, payload_length }), truncated);
    place({ payload_offset: 0xff0, payload_length: 0x10 });
    place({ payload_offset: 0xfffffff0, payload_length: 0 });
  });

  it("must hold the 64-bit entry", () => {
    const field = { code: "BZIMAGE_FIELD", field: "setup_header.syssize", offset: 0x1f4 };
    for (const syssize of [0, 1, 0x20]) assertEquals(refused({ syssize }), field);
    place({ syssize: 0x21 });
  });
});

describe("planBoot of a bzImage: headers that it refuses", () => {
  const at = (name: string, offset: number) => ({ field: `setup_header.${name}`, offset });

  it("has a code for each", () => {
    assertEquals(refused({ boot_flag: 0x55aa }), {
      code: "BZIMAGE_BOOT_FLAG",
      ...at("boot_flag", 0x1fe),
    });
    assertEquals(refused({ version: 0x20b }, { protocol: "linux64" }), {
      code: "BZIMAGE_VERSION",
      ...at("version", 0x206),
    });
    assertEquals(refused({ loadflags: 0 }), {
      code: "BZIMAGE_LOADFLAGS",
      ...at("loadflags", 0x211),
    });
  });

  it("has no 64-bit entry: i386, or a header that ends before xloadflags", () => {
    const expected = { code: "BZIMAGE_NO_64BIT_ENTRY", ...at("xloadflags", 0x236) };
    for (const fields of [{ xloadflags: 0 }, { xloadflags: 0b10 }, { jump: 0x35eb }]) {
      assertEquals(refused(fields, { protocol: "linux64" }), expected); // 0x35: ends at 0x237
    }
  });

  it("ends inside edd_mbr_sig_buffer of the zero page", () => {
    place({ jump: 0x8eeb }); // 0x290
    assertEquals(refused({ jump: 0x8feb }), { code: "BZIMAGE_FIELD", ...at("jump", 0x200) });
  });

  it("wants an alignment that is none", () => {
    for (const kernel_alignment of [0, 3, 0xffffffff]) {
      assertEquals(refused({ kernel_alignment }), {
        code: "BZIMAGE_FIELD",
        ...at("kernel_alignment", 0x230),
      });
    }
  });

  it("wants more than there is", () => {
    assertEquals(place({ init_size: 0xffffffff }).kernel.start, 4n * GIB);
    assertEquals(refused({ init_size: 0xffffffff, xloadflags: 1 }), {
      code: "NO_SPACE",
      between: ["kernel", "guest RAM"],
    });
    for (const pref_address of [1n << 63n, (1n << 64n) - 1n, 8n * GIB - 1n]) {
      assertEquals(refused({ pref_address }).code, "NO_SPACE");
    }
    assertEquals(place({ kernel_alignment: 0x80000000 }).kernel.start, 2n * GIB);
  });

  it("cannot move, and prefers an address outside RAM or where it must not run", () => {
    const fixed = { relocatable_kernel: 0, pref_address: 5n * GIB };
    assertEquals(place(fixed).kernel.start, 5n * GIB);
    assertEquals(refused({ ...fixed, pref_address: 8n * GIB - 1n }), {
      code: "OUTSIDE_RAM",
      between: ["kernel", "guest RAM"],
    });
    const unreachable = {
      code: "NO_SPACE",
      ...at("pref_address", 0x258),
      between: ["kernel", "where this kernel can be loaded"],
    };
    for (const pref_address of [1n << 63n, (1n << 64n) - 1n]) {
      assertEquals(refused({ ...fixed, pref_address }), unreachable);
    }
    const low = { ...fixed, xloadflags: 1 };
    assertEquals(refused(low), unreachable);
    // It moves itself there, wherever it is loaded
    assertEquals(refused(low, { kernelAddress: MIB }), unreachable);
    assertEquals(
      refused({ ...low, relocatable_kernel: 1 }, { kernelAddress: 2n * MIB }),
      unreachable,
    );
    const top = [{ start: 0n, size: 8n * GIB }];
    const last = { ...low, pref_address: 4n * GIB - 0x10000n };
    place(last, {}, top);
    assertEquals(refused({ ...last, init_size: 0x10001 }, {}, top), unreachable);
  });
});
