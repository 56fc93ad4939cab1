import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  arm64Image,
  bzImage,
  type ElfImage,
  elfImage,
  noteBytes,
  pattern,
  poke,
  pvhImage,
  word,
} from "../fuzz/arbitraries/images.ts";
import { dirtyRam, failingSource, refusal, shortSource } from "../fuzz/arbitraries/machines.ts";
import { BzImage, Elf, type KernelLoadOptions, loadCmdline, loadDtb, PE } from "./loader.ts";
import { GuestMemory } from "./memory/guest_memory.ts";
import { Cmdline } from "./params/cmdline.ts";
import { SETUP_HEADER } from "./structs/bootparam.ts";

const MIB = 1 << 20;
const U64_MAX = (1n << 64n) - 1n;

/** Dirty RAM, and what has become of it. */
function guest(size = 4 * MIB, start = 0n) {
  const ram = dirtyRam({ start, size });
  return { ...ram, memory: GuestMemory.of(ram.regions), bytes: ram.regions[0].bytes };
}

/** Loads into RAM that must stay as it is. */
function refusedElf(image: ElfImage | Uint8Array, options: KernelLoadOptions = {}, size?: number) {
  const { memory, changes } = guest(size);
  const file = image instanceof Uint8Array ? image : elfImage(image);
  const said = refusal(() => Elf.load(memory, file, options));
  assertEquals(changes(), [], "memory untouched");
  return said;
}

const start = (text: string) => new TextEncoder().encode(text);

describe("Elf.load", () => {
  it("puts every PT_LOAD where its p_paddr says, and says where the kernel ends", () => {
    const { memory, bytes, changes } = guest();
    const [low, high] = [pattern(0x1d, 7), pattern(0xe, 8)];
    const file = elfImage({
      header: { e_entry: 0x400 },
      segments: [{ p_paddr: 0, bytes: low }, { p_paddr: 0x420, bytes: high }],
    });
    assertEquals(Elf.load(memory, file), {
      kernelLoad: 0x400n,
      entry: 0x400n,
      kernelEnd: 0x42en,
      pvhBootCap: { kind: "ignored" },
    });
    assertEquals(bytes.slice(0, 0x1d), low);
    assertEquals(bytes.slice(0x420, 0x42e), high);
    assertEquals(changes().filter(({ start, end }) => start > 0x1dn && end < 0x420n), []);
  });

  it("adds kernelOffset to every address", () => {
    const { memory, bytes } = guest();
    const file = elfImage({
      header: { e_entry: 0x400 },
      segments: [{ p_paddr: 0x420, bytes: pattern(14) }],
    });
    const { kernelLoad, entry, kernelEnd } = Elf.load(memory, file, { kernelOffset: 0x20_0000n });
    assertEquals([kernelLoad, entry, kernelEnd], [0x20_0400n, 0x20_0400n, 0x20_042en]);
    assertEquals(bytes.slice(0x20_0420, 0x20_042e), pattern(14));
  });

  it("refuses an entry below highmemStart, to which kernelOffset is not added", () => {
    const options = { highmemStart: 0xa0_0000n, kernelOffset: 0xa0_0000n };
    assertEquals(refusedElf({}, options), { code: "BELOW_HIGHMEM", field: "e_entry", offset: 24 });
    const { memory } = guest();
    assertEquals(Elf.load(memory, elfImage(), { highmemStart: 0x10_0000n }).kernelLoad, 0x10_0000n);
  });

  it("refuses what linux-loader refuses, in its order", () => {
    const short = elfImage().subarray(0, 63);
    short[0] = 0; // the size is looked at before the magic
    const size = { code: "TRUNCATED", field: "Elf64_Ehdr", offset: 0 };
    assertEquals(refusedElf(short), size);
    const magic = elfImage();
    magic[1] = 0x33;
    magic[5] = 2;
    assertEquals(refusedElf(magic).code, "ELF_MAGIC");
    assertEquals(refusedElf({ header: { data: 2, e_phentsize: 57 } }).code, "ELF_BYTE_ORDER");
    assertEquals(refusedElf({ header: { e_phentsize: 57, e_phoff: 63 } }).code, "ELF_PHENTSIZE");
    const highmem = { highmemStart: U64_MAX };
    assertEquals(refusedElf({ header: { e_phoff: 63 } }, highmem).code, "ELF_PHOFF");
    const all = { highmemStart: U64_MAX, kernelOffset: U64_MAX };
    assertEquals(refusedElf({ header: { e_phnum: 9 } }, all).code, "BELOW_HIGHMEM");
    const overflow = { code: "ADDRESS_OVERFLOW", field: "e_entry", offset: 24 };
    assertEquals(refusedElf({ header: { e_phnum: 9 } }, { kernelOffset: U64_MAX }), overflow);
    assertEquals(refusedElf({ header: { e_phnum: 9 } }).field, "e_phoff");
  });

  it("refuses a 32-bit file after its magic and byte order", () => {
    const said = refusedElf({ header: { class: 1, e_phentsize: 0 } });
    assertEquals(said, { code: "ELF_CLASS", field: "e_ident[EI_CLASS]", offset: 4 });
    assertEquals(refusedElf({ header: { class: 1, data: 2 } }).code, "ELF_BYTE_ORDER");
  });

  it("refuses a segment that the file, RAM or the address space does not hold", () => {
    const bytes = pattern(16);
    const second = (fields: object) => ({ segments: [{ bytes }, { bytes, ...fields }] });
    const at = 64 + 56;
    const past = second({ p_paddr: 0x20_0000, p_filesz: 17 });
    assertEquals(refusedElf(past), { code: "TRUNCATED", field: "p_filesz[1]", offset: at + 0x20 });
    const outside = refusedElf(second({ p_paddr: 4 * MIB - 15 }));
    assertEquals(outside, { code: "OUTSIDE_RAM", between: ["kernel segment 1", "guest RAM"] });
    const high = refusedElf(second({ p_paddr: U64_MAX }), { kernelOffset: 1n });
    assertEquals(high, { code: "ADDRESS_OVERFLOW", field: "p_paddr[1]", offset: at + 0x18 });
    const memsz = refusedElf(second({ p_paddr: 0x20_0000, p_memsz: U64_MAX }));
    assertEquals(memsz, { code: "ADDRESS_OVERFLOW", field: "p_memsz[1]", offset: at + 0x28 });
    // An address too: 2^64 itself is none
    const top = second({ p_paddr: 0x20_0000, p_memsz: (1n << 64n) - 0x20_0000n });
    assertEquals(refusedElf(top).code, "ADDRESS_OVERFLOW");
  });

  it("zeroes BSS, and nothing past it", () => {
    const { memory, bytes, changes } = guest();
    const segments = [{ bytes: pattern(100), p_memsz: 300 }];
    assertEquals(Elf.load(memory, elfImage({ segments })).kernelEnd, 0x10_0000n + 300n);
    assert(bytes.subarray(0x10_0000 + 100, 0x10_0000 + 300).every((byte) => byte === 0));
    assertEquals(changes().filter(({ end }) => end > 0x10_0000n + 300n), []);
  });

  it("refuses BSS outside RAM, also of a segment without bytes in the file", () => {
    const outside = { code: "OUTSIDE_RAM", between: ["kernel segment 0", "guest RAM"] };
    const segments = [{ bytes: pattern(16), p_memsz: 3 * MIB + 1 }];
    assertEquals(refusedElf({ segments }), outside);
    assertEquals(refusedElf({ segments: [{ p_memsz: 3 * MIB + 1 }] }), outside);
    const wraps = { p_paddr: U64_MAX, p_memsz: 1 };
    assertEquals(refusedElf({ segments: [wraps] }).field, "p_memsz[0]");
    assertEquals(refusedElf({ segments: [wraps] }, { kernelOffset: 1n }).field, "e_entry");
    const header = { e_entry: 0 };
    const said = refusedElf({ header, segments: [wraps] }, { kernelOffset: 1n });
    assertEquals(said.field, "p_paddr[0]");
  });

  it("has kernelEnd past a segment without file bytes, and past bytes that p_memsz leaves out", () => {
    const bytes = pattern(64);
    const { memory, bytes: ram } = guest();
    const segments = [{ bytes }, { p_paddr: 0x20_0000, p_memsz: 0x800 }];
    assertEquals(Elf.load(memory, elfImage({ segments })).kernelEnd, 0x20_0800n);
    assert(ram.subarray(0x20_0000, 0x20_0800).every((byte) => byte === 0));
    const short = elfImage({ segments: [{ bytes, p_memsz: 16 }] });
    assertEquals(Elf.load(memory, short).kernelEnd, 0x10_0000n + 64n);
    assertEquals(ram.slice(0x10_0000, 0x10_0000 + 64), bytes);
  });

  it("refuses segments that overlap, the BSS of one included", () => {
    const bytes = pattern(64);
    const between = ["kernel segment 1", "kernel segment 0"];
    const overlap = { code: "ELF_SEGMENT_OVERLAP", between };
    const pair = (memsz: number, paddr: number) =>
      refusedElf({ segments: [{ bytes, p_memsz: memsz }, { bytes, p_paddr: paddr }] });
    assertEquals(pair(64, 0x10_003f), overlap);
    assertEquals(pair(65, 0x10_0040), overlap);
    const { memory } = guest();
    const touching = [{ bytes }, { bytes, p_paddr: 0x10_0040 }];
    assertEquals(Elf.load(memory, elfImage({ segments: touching })).kernelEnd, 0x10_0080n);
  });

  it("says first what linux-loader says, whichever segment it is about", () => {
    const bytes = pattern(64);
    const overlapping = [{ bytes }, { bytes }, { bytes, p_paddr: 4 * MIB }];
    assertEquals(refusedElf({ segments: overlapping }).code, "OUTSIDE_RAM");
    const wrapping = [{ p_paddr: U64_MAX, p_memsz: 9 }, { bytes, p_filesz: 999 }];
    const header = { e_entry: 0 };
    assertEquals(refusedElf({ header, segments: wrapping }).code, "TRUNCATED");
  });

  it("takes what does not boot: no segments, another machine, an entry anywhere", () => {
    const { memory, changes } = guest();
    const none = elfImage({ header: { e_phnum: 0, e_phoff: U64_MAX, e_entry: 5 }, segments: [] });
    const result = { kernelLoad: 5n, entry: 5n, kernelEnd: 0n, pvhBootCap: { kind: "ignored" } };
    assertEquals({ ...Elf.load(memory, none) } as unknown, result);
    assertEquals(changes(), []);
    const odd = { e_machine: 183, e_type: 1, e_version: 9, e_ehsize: 0, ident_version: 0 };
    const file = elfImage({ header: { ...odd, e_entry: 0xffff_ffff_8100_0000n } });
    assertEquals(Elf.load(memory, file).entry, 0xffff_ffff_8100_0000n);
  });

  it("translates a virtual entry, and leaves kernelLoad as linux-loader has it", () => {
    const virtual = 0xffff_ffff_8100_0000n;
    const segments = [{ bytes: pattern(64), p_vaddr: virtual }];
    const file = elfImage({ header: { e_entry: virtual + 16n }, segments });
    const { entry, kernelLoad } = Elf.load(guest().memory, file, { kernelOffset: 0x1000n });
    assertEquals([entry, kernelLoad], [0x10_1010n, virtual + 0x1010n]);
  });

  it("finds the PVH entry, unless there is an offset", () => {
    const load = (file: Uint8Array, options?: KernelLoadOptions) =>
      Elf.load(guest().memory, file, options).pvhBootCap;
    const file = pvhImage(undefined, 0x1e1fe1f);
    assertEquals(load(file), { kind: "present", entry: 0x1e1fe1fn });
    assertEquals(load(file, { kernelOffset: 0n }), { kind: "ignored" });
    const other = noteBytes([{ name: "GNU\0", descriptor: word(3) }]);
    const note = { p_type: 4, bytes: other };
    assertEquals(load(elfImage({ segments: [note] })), { kind: "not-present" });
    // The last PT_NOTE decides
    const pvh = { p_type: 4, bytes: noteBytes([{ descriptor: word(7) }]) };
    assertEquals(load(elfImage({ segments: [pvh, note] })), { kind: "not-present" });
    assertEquals(load(elfImage({ segments: [note, pvh] })), { kind: "present", entry: 7n });
  });

  it("refuses notes that do not keep to the file", () => {
    const note = (bytes: Uint8Array) => ({ p_type: 4, bytes });
    const last = noteBytes([{ descriptor: new Uint8Array(2), name: "Xen\0" }]);
    assertEquals(refusedElf({ segments: [note(last)] }).field, "n_descsz");
    const cut = { ...note(noteBytes([{ descriptor: word(1) }]).subarray(0, 14)) };
    assertEquals(refusedElf({ segments: [cut] }).code, "TRUNCATED");
  });

  it("reads from a source that gives little at a time", () => {
    const { memory, bytes } = guest();
    const file = elfImage({ segments: [{ bytes: pattern(5000) }] });
    Elf.load(memory, shortSource(file, 7));
    assertEquals(bytes.slice(0x10_0000, 0x10_0000 + 5000), pattern(5000));
  });

  it("says so when the source fails in the middle", () => {
    const file = elfImage({ segments: [{ bytes: pattern(5000) }] });
    const failing = failingSource(file, file.length - 1);
    assertEquals(refusal(() => Elf.load(guest().memory, failing)).code, "PARTIALLY_APPLIED");
    const header = failingSource(file, 10);
    assertEquals(refusal(() => Elf.load(guest().memory, header)).code, "SOURCE_FAILED");
  });

  it("refuses options that are no addresses", () => {
    const load = (options: unknown) => () =>
      Elf.load(guest().memory, elfImage(), options as KernelLoadOptions);
    assertEquals(refusal(load({ kernelOffset: -1n })).field, "kernelOffset");
    assertEquals(refusal(load({ highmemStart: 1n << 64n })).code, "INVALID_OPTION");
    assertThrows(load({ kernelOffset: 0 }), TypeError);
  });
});

describe("BzImage.load", () => {
  const kernel = pattern(4096);

  it("loads everything after the setup at code32_start", () => {
    const { memory, bytes, changes } = guest();
    const file = bzImage({ syssize: 1 }); // understates, and is not looked at
    const { setupHeader, ...rest } = BzImage.load(memory, file);
    assertEquals(rest, {
      kernelLoad: 0x10_0000n,
      entry: 0x10_0200n,
      kernelEnd: 0x10_1000n,
      pvhBootCap: { kind: "ignored" },
    });
    assertEquals(bytes.slice(0x10_0000, 0x10_1000), kernel);
    assertEquals(setupHeader, file.slice(0x1f1, 0x26c));
    assert(changes().every(({ start, end }) => start >= 0x10_0000n && end <= 0x10_1000n));
  });

  it("takes kernelOffset as the address, and writes it to the header", () => {
    const high = 0x1_0020_0000n;
    const { memory } = guest(4 * MIB, 0x1_0000_0000n);
    const result = BzImage.load(memory, bzImage(), { kernelOffset: high });
    assertEquals([result.kernelLoad, result.kernelEnd], [high, high + 0x1000n]);
    assertEquals(SETUP_HEADER.read(result.setupHeader!).code32_start, 0x20_0000);
  });

  it("looks at code32_start for highmemStart, not at kernelOffset", () => {
    const { memory, changes } = guest();
    const options = { kernelOffset: 0x20_0000n, highmemStart: 0x10_0001n };
    const said = refusal(() => BzImage.load(memory, bzImage(), options));
    const field = "setup_header.code32_start";
    assertEquals(said, { code: "BELOW_HIGHMEM", field, offset: 0x214 });
    assertEquals(changes(), []);
  });

  it("refuses what is no bzImage, or ends in its setup", () => {
    const load = (file: Uint8Array) => refusal(() => BzImage.load(guest().memory, file)).code;
    assertEquals(load(bzImage({ header: 0 })), "BZIMAGE_MAGIC");
    assertEquals(load(bzImage({ version: 0x1ff })), "BZIMAGE_VERSION");
    assertEquals(load(bzImage({ loadflags: 0xfe })), "BZIMAGE_LOADFLAGS");
    assertEquals(load(bzImage().subarray(0, 0x211)), "TRUNCATED");
    assertEquals(load(bzImage().subarray(0, 1023)), "TRUNCATED");
    assertEquals(load(bzImage({ code32_start: 4 * MIB - 4095 })), "OUTSIDE_RAM");
  });

  it("takes what does not boot: no boot_flag, no 64-bit entry, no payload", () => {
    const { memory } = guest();
    const odd = { boot_flag: 0, xloadflags: 0, init_size: 0xffff_ffff };
    const { entry, kernelLoad } = BzImage.load(memory, bzImage(odd));
    assertEquals(entry, kernelLoad);
    const empty = bzImage({ kernel: new Uint8Array(0), code32_start: 0xffff_ffff });
    const result = BzImage.load(memory, empty, { kernelOffset: U64_MAX });
    assertEquals([result.kernelEnd, result.entry], [U64_MAX, U64_MAX]);
  });
});

describe("PE.load", () => {
  const riscv = (textOffset: number | bigint) => {
    const file = pattern(4096, 9);
    file.fill(0, 0, 64);
    poke(file, 8, 8, textOffset);
    poke(file, 0x38, 4, 0x05435352); // "RSC\x05"
    return file;
  };

  it("loads the whole arm64 Image text_offset from its base", () => {
    const { memory, bytes } = guest();
    const file = arm64Image({ text_offset: 0x8_0000 });
    const options = { arch: "aarch64", kernelOffset: 0x20_0000n } as const;
    assertEquals(PE.load(memory, file, options), {
      kernelLoad: 0x28_0000n,
      entry: 0x28_0000n,
      kernelEnd: 0x28_1000n,
      pvhBootCap: { kind: "ignored" },
    });
    assertEquals(bytes.slice(0x28_0000, 0x28_1000), file);
    const old = arm64Image({ text_offset: 5, image_size: 0 });
    assertEquals(PE.load(memory, old, { arch: "aarch64" }).kernelLoad, 0x8_0000n);
  });

  it("loads a riscv64 Image", () => {
    const { memory } = guest(8 * MIB);
    const options = { arch: "riscv64", kernelOffset: 0x40_0000n } as const;
    assertEquals(PE.load(memory, riscv(0x20_0000), options).kernelLoad, 0x60_0000n);
    assertEquals(PE.load(memory, riscv(0), { arch: "riscv64" }).kernelEnd, 0x1000n);
  });

  it("refuses an Image of the other architecture", () => {
    const { memory, changes } = guest();
    const arm = refusal(() => PE.load(memory, arm64Image(), { arch: "riscv64" }));
    assertEquals(arm, { code: "IMAGE_MAGIC", field: "magic2", offset: 0x38 });
    assertEquals(refusal(() => PE.load(memory, riscv(0), { arch: "aarch64" })).field, "magic");
    assertThrows(() => PE.load(memory, riscv(0), { arch: "x86_64" as "riscv64" }), TypeError);
    assertEquals(changes(), []);
  });

  it("refuses a bad base, a text_offset that wraps, and what RAM does not hold, in this order", () => {
    const load = (textOffset: bigint, kernelOffset: bigint) =>
      refusal(() => PE.load(guest().memory, riscv(textOffset), { arch: "riscv64", kernelOffset }));
    const misaligned = { code: "MISALIGNED", field: "kernelOffset" };
    assertEquals(load(U64_MAX, 0x30_0000n), misaligned);
    assertEquals(load(U64_MAX, 0x20_0000n).code, "ADDRESS_OVERFLOW");
    assertEquals(load(0n, 0x40_0000n).code, "OUTSIDE_RAM");
    const short = riscv(0).subarray(0, 63);
    const truncated = refusal(() => PE.load(guest().memory, short, { arch: "riscv64" }));
    assertEquals(truncated.code, "TRUNCATED");
  });

  it("takes a big-endian Image, and one without an image_size", () => {
    const file = arm64Image({ flags: 1, image_size: 1 });
    assertEquals(PE.load(guest().memory, file, { arch: "aarch64" }).kernelEnd, 0x1000n);
  });
});

describe("loadDtb", () => {
  it("writes it as it is, up to 2 MiB", () => {
    const { memory, bytes } = guest();
    loadDtb(memory, 0x1000n, start("no device tree"));
    assertEquals(bytes.slice(0x1000, 0x100e), start("no device tree"));
    loadDtb(memory, 0x20_0000n, pattern(2 * MIB));
    assertEquals(bytes.slice(2 * MIB), pattern(2 * MIB));
    loadDtb(memory, U64_MAX, new Uint8Array(0)); // nothing is everywhere
  });

  it("refuses what is larger, or outside RAM", () => {
    const { memory, changes } = guest();
    const load = (address: bigint, size: number) =>
      refusal(() => loadDtb(memory, address, new Uint8Array(size)));
    assertEquals(load(U64_MAX, 2 * MIB + 1).code, "FDT_TOO_BIG");
    const outside = { code: "OUTSIDE_RAM", between: ["device tree", "guest RAM"] };
    assertEquals(load(4n * BigInt(MIB) - 7n, 8), outside);
    assertEquals(load(U64_MAX, 8), outside);
    assertEquals(load(-1n, 8).code, "INVALID_OPTION");
    assertEquals(changes(), []);
  });
});

describe("loadCmdline", () => {
  const cmdline = Cmdline.tryFrom("12345", 100);

  it("writes the line and its NUL, and nothing else", () => {
    const { memory, bytes, changes } = guest();
    loadCmdline(memory, BigInt(4 * MIB - 6), cmdline);
    assertEquals(bytes.slice(-6), start("12345\0"));
    assertEquals(changes(), [{ start: BigInt(4 * MIB - 6), end: BigInt(4 * MIB) }]);
    loadCmdline(memory, 0n, new Cmdline(1));
    assertEquals(bytes[0], 0);
  });

  it("refuses a line that leaves RAM, or is none", () => {
    const { memory, changes } = guest();
    const load = (address: bigint, line: Cmdline) =>
      refusal(() => loadCmdline(memory, address, line)).code;
    assertEquals(load(BigInt(4 * MIB - 5), cmdline), "OUTSIDE_RAM");
    assertEquals(load(U64_MAX - 4n, cmdline), "OUTSIDE_RAM");
    const init = new Cmdline(100);
    init.insertInitArgs("single");
    assertEquals(load(0n, init), "CMDLINE_NO_BOOT_ARGS");
    assertEquals(load(0n, Cmdline.tryFrom("a\0b", 100)), "CMDLINE_NUL");
    assertEquals(changes(), []);
  });

  it("crosses regions that touch, and no hole", () => {
    const regions = dirtyRam({ start: 0n, size: 8 }, { start: 8n, size: 8 }, {
      start: 17n,
      size: 8,
    });
    const memory = GuestMemory.of(regions.regions);
    loadCmdline(memory, 4n, cmdline);
    assertEquals(memory.read(4n, 6), start("12345\0"));
    const before = regions.changes();
    assertEquals(refusal(() => loadCmdline(memory, 12n, cmdline)).code, "OUTSIDE_RAM");
    assertEquals(regions.changes(), before);
  });
});
