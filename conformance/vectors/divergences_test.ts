import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { elfImage, noteBytes, pattern, word } from "../../fuzz/arbitraries/images.ts";
import { answerBootParams, answerCmdline, answerImage } from "./answers.ts";
import {
  type BootParamsCase,
  type ImageCase,
  type Run,
  toHex,
  type Vector,
  type Verdict,
} from "./cases.ts";
import { compare, judge } from "./compare.ts";
import { DIVERGENCES, SOURCE_INDEPENDENT } from "./divergences.ts";
import { guestOf, runsOf } from "./guest.ts";

/** What is written in theirs: an address, and bytes. */
type Writes = readonly (readonly [address: bigint, bytes: Uint8Array])[];

const ELF: ImageCase = {
  ...{ id: "elf", format: "elf", base: "b", kernel_offset: null, himem: null, fill: 0x5a },
  regions: [["0x0", "0x200000"]],
};

function runs(one: ImageCase | BootParamsCase, writes: Writes): Run[] {
  const guest = guestOf(one)!;
  for (const [address, bytes] of writes) guest.memory.write(address, bytes);
  return runsOf(guest);
}

/** What came of a file whose verdict is known. */
function judgeElf(input: Uint8Array, verdict: Partial<Verdict>, writes: Writes = [], one = ELF) {
  const theirs: Verdict = { ok: verdict.err === undefined, mem: runs(one, writes), ...verdict };
  const { divergences, unexplained } = judge({
    case: one,
    input,
    theirs,
    ours: answerImage(one, input),
  });
  return { divergences, unexplained: unexplained.map((text) => text.split(":")[0]) };
}

const explained = (...divergences: string[]) => ({ divergences, unexplained: [] });
const loaded = (end: string) => ({
  ...{ kernel_load: "0x100000", kernel_end: end, pvh: "ignored" },
});
const bytes = pattern(64);
const write = [0x10_0000n, bytes] as const;

describe("a case that both answer alike", () => {
  it("needs no divergence, and every field counts", () => {
    const file = elfImage({ segments: [{ bytes }] });
    const same = loaded("0x100040");
    assertEquals(judgeElf(file, same, [write]), explained());
    const wrong = { kernel_load: "0x1", kernel_end: "0x2", pvh: "not_present" };
    for (const [field, value] of Object.entries(wrong)) {
      const said = judgeElf(file, { ...same, [field]: value }, [write]);
      assertEquals(said, { divergences: [], unexplained: [field] });
    }
    assertEquals(judgeElf(file, same, []).unexplained, ["mem"]);
    const more = judgeElf(file, same, [write, [0x10_0040n, Uint8Array.of(0)]]);
    assertEquals(more.unexplained, ["mem"]);
    const refused = judgeElf(file, { err: "Elf(ReadKernelImage)" }, []);
    assertEquals(refused.unexplained, ["outcome", "mem"]);
  });
});

describe("memory-untouched", () => {
  const file = elfImage({ segments: [{ bytes }, { bytes, p_paddr: 0x20_0000 }] });

  it("explains what linux-loader left behind after the same error", () => {
    const said = judgeElf(file, { err: "Elf(ReadKernelImage)" }, [write]);
    assertEquals(said, explained("memory-untouched"));
  });

  it("does not explain another error", () => {
    const said = judgeElf(file, { err: "Elf(ReadNoteHeader)" }, [write]);
    assertEquals(said, { divergences: ["memory-untouched"], unexplained: ["outcome"] });
  });
});

describe("bss-zeroed", () => {
  const file = elfImage({ segments: [{ bytes, p_memsz: 128 }] });
  const same = loaded("0x100080");

  it("explains the bytes of BSS that linux-loader leaves", () => {
    assertEquals(judgeElf(file, same, [write]), explained("bss-zeroed"));
  });

  it("explains no other byte", () => {
    for (const at of [0x10_0000n, 0x10_003fn, 0x10_0040n, 0x10_007fn, 0x10_0080n, 0x1000n]) {
      const said = judgeElf(file, same, [write, [at, Uint8Array.of(7)]]);
      assertEquals(said.unexplained, ["mem"], `${at}`);
    }
  });

  it("has nothing to explain where memory was zero", () => {
    assertEquals(judgeElf(file, same, [write], { ...ELF, fill: 0 }), explained());
  });
});

describe("kernel-end-covers-the-kernel", () => {
  it("explains a segment without file bytes", () => {
    const file = elfImage({ segments: [{ bytes }, { p_paddr: 0x11_0000, p_memsz: 4096 }] });
    const said = judgeElf(file, loaded("0x100040"), [write], { ...ELF, fill: 0 });
    assertEquals(said, explained("kernel-end-covers-the-kernel"));
    const other = judgeElf(file, loaded("0x100041"), [write], { ...ELF, fill: 0 });
    assertEquals(other.unexplained, ["kernel_end"]);
  });

  it("explains a p_memsz below p_filesz", () => {
    const file = elfImage({ segments: [{ bytes, p_memsz: 1 }] });
    const said = judgeElf(file, loaded("0x100001"), [write]);
    assertEquals(said, explained("kernel-end-covers-the-kernel"));
  });
});

describe("bss-outside-ram", () => {
  it("explains a refusal for what follows the file's bytes, or has none", () => {
    const file = elfImage({ segments: [{ bytes, p_memsz: 0x10_0001 }] });
    assertEquals(judgeElf(file, loaded("0x200001"), [write]), explained("bss-outside-ram"));
    const none = elfImage({ segments: [{ bytes }, { p_paddr: 0x20_0000, p_memsz: 1 }] });
    assertEquals(judgeElf(none, loaded("0x100040"), [write]), explained("bss-outside-ram"));
    const wraps = elfImage({ segments: [{ bytes }, { p_paddr: -1, p_memsz: 1 }] });
    assertEquals(judgeElf(wraps, loaded("0x100040"), [write]), explained("bss-outside-ram"));
  });

  it("does not explain a refusal for the file's own bytes", () => {
    const file = elfImage({ segments: [{ bytes, p_paddr: 0x1f_ffff }] });
    assertEquals(judgeElf(file, loaded("0x20003f")).unexplained, ["outcome"]);
  });
});

describe("segment-overlap", () => {
  it("explains the refusal of segments that overlap", () => {
    const file = elfImage({ segments: [{ bytes }, { bytes, p_paddr: 0x10_003f }] });
    const writes: Writes = [write, [0x10_003fn, bytes]];
    assertEquals(judgeElf(file, loaded("0x10007f"), writes), explained("segment-overlap"));
  });

  it("is no reason where they do not", () => {
    const [overlap] = DIVERGENCES.filter(({ name }) => name === "segment-overlap");
    const pair = (paddr: number) => elfImage({ segments: [{ bytes }, { bytes, p_paddr: paddr }] });
    const ours = answerImage(ELF, pair(0x10_003f));
    const theirs = { ok: true };
    const explains = (input: Uint8Array) =>
      overlap.explains({ case: ELF, input, theirs, ours }, "outcome");
    assertEquals(explains(pair(0x10_003f)), true);
    assertEquals(explains(pair(0x10_0040)), false);
  });
});

describe("elf-class", () => {
  it("explains the refusal of a file that says it is not a 64-bit one", () => {
    const file = elfImage({ header: { class: 1 }, segments: [{ bytes }] });
    assertEquals(judgeElf(file, loaded("0x100040"), [write]), explained("elf-class"));
    const said = judgeElf(file, { err: "Elf(ReadProgramHeader)" });
    assertEquals(said, explained("elf-class"));
  });

  it("does not explain a refusal for something else", () => {
    const file = elfImage({ header: { class: 1, data: 2 }, segments: [{ bytes }] });
    assertEquals(judgeElf(file, loaded("0x100040"), [write]).unexplained, ["outcome"]);
  });
});

describe("exact-fit", () => {
  const pvh: BootParamsCase = {
    ...{ id: "bp", format: "bootparams", protocol: "pvh", regions: [["0x0", "0x10000"]] },
    ...{ header: toHex(bytes), header_start: "0x6000", modules: null, modules_start: null },
    ...{ sections: toHex(pattern(24)), sections_start: "0xffe8" },
  };
  const past: Verdict = { ok: false, err: "Pvh(MemmapTablePastRamEnd)", mem: [] };
  const judgeParams = (one: BootParamsCase, theirs: Verdict) => {
    const ours = answerBootParams(one);
    const said = judge({ case: one, input: new Uint8Array(0), theirs, ours });
    return { ...said, unexplained: said.unexplained.map((text) => text.split(":")[0]) };
  };

  it("explains parts that end with RAM", () => {
    assertEquals(judgeParams(pvh, past), explained("exact-fit"));
    const linux = { ...pvh, protocol: "linux", header_start: "0xffc0" } as const;
    const zeroPage = { ...past, err: "Linux(ZeroPagePastRamEnd)" };
    assertEquals(judgeParams(linux, zeroPage), explained("exact-fit"));
  });

  it("explains that a later part is refused then", () => {
    const both = { ...pvh, header_start: "0xffff" };
    assertEquals(judgeParams(both, past), explained("exact-fit"));
  });

  it("does not explain parts that do not end there, or another error", () => {
    const inside = { ...pvh, sections_start: "0xffe7" };
    assertEquals(judgeParams(inside, past).unexplained, ["outcome", "mem"]);
    const other = { ...past, err: "Pvh(MemmapTableSetup)" };
    assertEquals(judgeParams(pvh, other).unexplained, ["outcome", "mem"]);
  });
});

describe("source-independent", () => {
  const vector = (offset: bigint, file: Verdict): Vector => {
    const note = { p_type: 4, p_offset: offset, bytes: noteBytes([{ descriptor: word(1) }]) };
    const input = elfImage({ segments: [{ bytes }, { ...note, p_filesz: 0 }] });
    const verdict = { ok: true, ...loaded("0x100040"), pvh: "not_present", file };
    return { case: ELF, input, verdict: { ...verdict, mem: runs(ELF, [write]) } };
  };
  const failed: Verdict = { ok: false, err: "Elf(SeekNoteHeader)", mem: [] };

  it("explains a failed seek to where nothing is read", () => {
    const said = compare(vector(1n << 63n, failed), (input, use) => use(input as never));
    assertEquals(said, { divergences: [SOURCE_INDEPENDENT.name], unexplained: [] });
  });

  it("does not explain another error, or an offset that can be sought", () => {
    const seek = compare(vector(1n << 62n, failed), (input, use) => use(input as never));
    assertEquals(seek.unexplained.length > 0, true);
    const read = { ...failed, err: "Elf(ReadNoteHeader)" };
    const other = compare(vector(1n << 63n, read), (input, use) => use(input as never));
    assertEquals(other.unexplained.length > 0, true);
  });
});

describe("a command line", () => {
  const vector = (verdict: Partial<Verdict>): Vector => ({
    case: {
      ...{ id: "cmd", format: "cmdline", capacity: 100, load_addr: "0xffd" },
      ...{ ops: [["insert_str", "abc"], ["insert", "a b", "c"]], fill: 1 },
      regions: [["0x0", "0x1000"], ["0x2000", "0x1000"]],
    },
    input: new Uint8Array(0),
    verdict: {
      ok: true,
      ops: ["ok", "HasSpace"],
      result: "abc",
      load: "CommandLineCopy",
      ...verdict,
    },
  });
  const unexplained = (verdict: Partial<Verdict>) =>
    compare(vector(verdict), () => {
      throw new Error("a command line is no file");
    }).unexplained.map((text) => text.split(":")[0]);

  it("is compared operation by operation", () => {
    assertEquals(unexplained({}), []);
    assertEquals(unexplained({ ops: ["ok", "HasEquals"] }), ["ops[1]"]);
    assertEquals(unexplained({ ops: ["TooLarge", "HasSpace"] }), ["ops[0]"]);
    assertEquals(unexplained({ ops: ["ok"] }), ["ops", "ops[1]"]);
    assertEquals(unexplained({ result: "abcd" }), ["result"]);
    assertEquals(unexplained({ err: "NullTerminator" }), ["as_cstring"]);
    assertEquals(unexplained({ load: "ok" }), ["load"]);
    assertEquals(unexplained({ load: "InvalidCommandLine" }), ["load"]);
    assertEquals(unexplained({ new: "InvalidCapacity" }), ["new"]);
  });

  it("may leave nothing behind where it was not loaded", () => {
    const mem: Run[] = [["0x0", "0x1000", "…"]];
    const said = compare(vector({ mem }), () => {
      throw new Error("a command line is no file");
    });
    assertEquals(said, explained("memory-untouched"));
    assertEquals(unexplained({ mem, load: "ok" }), ["load", "mem"]);
    assertEquals(answerCmdline(vector({}).case as never).loadError?.code, "OUTSIDE_RAM");
  });

  it("is none with a capacity of 0", () => {
    const { case: one, ...rest } = vector({ new: "InvalidCapacity", ops: [], load: undefined });
    const said = compare({ ...rest, case: { ...one, capacity: 0 } as never }, () => {
      throw new Error("a command line is no file");
    });
    assertEquals(said.unexplained, []);
  });
});
