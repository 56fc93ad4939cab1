import { assertEquals } from "@std/assert";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as real from "../mod.ts";
import * as compressed from "../src/compressed/mod.ts";
import { PROPERTIES } from "./properties.ts";
import type { Library, Property } from "./property.ts";
import { batchSeed, runBatch, type Tally } from "./runner.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const { LoaderError } = real;

/** The first placement that holds bytes of the kernel's file. */
const kernelOf = (plan: real.BootPlan) =>
  plan.placements.find(({ content }) => content.kind === "source")!;

/** Throws something else where a LoaderError is due. */
function misthrows<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return run(...args);
    } catch {
      throw new RangeError("Offset is outside the bounds of the DataView");
    }
  };
}

/** For each property a library that it must not let pass: faults that loaders really had. */
const BROKEN: Readonly<Record<string, Partial<Library> & { work?: () => number }>> = {
  "read-sources": {
    // What is missing is zero
    readBytes(source: real.KernelSource, offset: number, size: number) {
      const bytes = new Uint8Array(size);
      source.readAt(offset, bytes);
      return bytes;
    },
  } as Partial<Library>,
  "total-detect": { detectKernel: misthrows(real.detectKernel) },
  "total-elf": {
    parseElf(source) {
      const elf = real.parseElf(source);
      // A bounds check that was dropped
      return { ...elf, segments: elf.segments.map((s) => ({ ...s, offset: s.offset + 4096 })) };
    },
  },
  "total-notes": {
    findPvhNote(source, elf) {
      const note = real.findPvhNote(source, elf);
      return note && { ...note, descriptor: note.name };
    },
  },
  "total-bzimage": {
    parseBzImage(source) {
      const image = real.parseBzImage(source);
      return { ...image, fileKernelSize: image.fileKernelSize + 1 };
    },
  },
  "total-images": {
    parseArm64Image: (source) => ({ ...real.parseArm64Image(source), bigEndian: false }),
  },
  "total-fdt": { parseFdt: misthrows(real.parseFdt) },
  "total-cmdline": { checkCmdline: misthrows(real.checkCmdline) },
  "total-layout": {
    planBoot: ({ ram }, options) => real.planBoot({ ram: ram.slice(0, 1) }, options),
  },
  "total-boot": {
    planBoot(layout, options) {
      // Narrowed before it was checked
      if ((options.kernelAddress ?? 0n) > 1n << 53n) throw new RangeError("not a safe integer");
      return real.planBoot(layout, options);
    },
  },
  "total-options": {
    planBoot(layout, options) {
      // A typing error is ignored
      const { initrdAdress: _, ...rest } = options as real.BootOptions & { initrdAdress?: bigint };
      return real.planBoot(layout, rest);
    },
  },
  "model-memory": {
    GuestMemory: {
      of(regions: readonly real.MemoryRegion[]) {
        const memory = real.GuestMemory.of(regions);
        const write = (address: bigint, bytes: Uint8Array) =>
          bytes.forEach((byte, i) => memory.write(address + BigInt(i), Uint8Array.of(byte)));
        return Object.assign(Object.create(memory), { write });
      },
    } as unknown as Library["GuestMemory"],
  },
  atomic: {
    bootLinux(memory, options) {
      // Written before it was checked
      memory.regions[0].bytes[0] ^= 1;
      return real.bootLinux(memory, options);
    },
  },
  "atomic-sources": {
    bootLinux(memory, options) {
      try {
        return real.bootLinux(memory, options);
      } catch (error) {
        const { code, message } = error as real.LoaderError;
        if (code !== "PARTIALLY_APPLIED") throw error;
        throw new LoaderError("SOURCE_FAILED", message, { field: "kernel", offset: 0 });
      }
    },
  },
  "atomic-plans": {
    applyPlan(memory, plan, options) {
      // Only the last range is checked
      real.applyPlan(memory, { ...plan, placements: plan.placements.slice(0, -1) }, options);
      real.applyPlan(memory, plan, options);
    },
  },
  "atomic-detached": {
    applyPlan(memory, plan, options) {
      try {
        real.applyPlan(memory, plan, options);
      } catch (error) {
        if ((error as real.LoaderError).code !== "INVALID_MEMORY") throw error;
      }
    },
  },
  confined: {
    applyPlan(memory, plan, options) {
      real.applyPlan(memory, plan, options);
      const { start, size } = kernelOf(plan);
      const after = { start: start + size, size: 1n };
      // One byte too many
      if (memory.contains(after)) memory.write(after.start, Uint8Array.of(0));
    },
  },
  sound: {
    planBoot(layout, options) {
      const plan = real.planBoot(layout, options);
      const placements = plan.placements.map((one) => {
        return one.name === "initrd" ? { ...one, start: one.start + 1n } : one;
      });
      return { ...plan, placements };
    },
  },
  faithful: {
    applyPlan(memory, plan) {
      // BSS is left as it was
      real.applyPlan(memory, plan, { fresh: true });
    },
  },
  "round-trip-structs": {
    HVM_MODLIST_ENTRY: Object.assign(Object.create(real.HVM_MODLIST_ENTRY), {
      size: real.HVM_MODLIST_ENTRY.size,
      fields: real.HVM_MODLIST_ENTRY.fields,
      read: (bytes: Uint8Array, at: number) => ({
        ...real.HVM_MODLIST_ENTRY.read(bytes, at),
        reserved: 0n,
      }),
      encode: (value: real.HvmModlistEntry) => real.HVM_MODLIST_ENTRY.encode(value),
    }),
  },
  "round-trip-images": {
    parseElf(source) {
      const elf = real.parseElf(source);
      // A 64-bit number that went through a double
      return { ...elf, header: { ...elf.header, e_entry: BigInt(Number(elf.header.e_entry)) } };
    },
  },
  "round-trip-fdt": {
    writeFdt: ({ reservations, ...tree }) =>
      real.writeFdt({ ...tree, reservations: reservations.slice(0, 2) }),
  },
  "model-boot": {
    bootLinux(memory, options) {
      const plan = real.bootLinux(memory, options);
      const page = plan.placements.find(({ name }) => name === "zero page");
      // With type_of_loader 0 the kernel ignores the initrd
      if (page) memory.write(page.start + 0x210n, Uint8Array.of(0));
      return plan;
    },
  },
  "model-crowd": {
    bootLinux: (memory, options) =>
      real.bootLinux(memory, { ...options, reservations: options.reservations?.slice(0, 255) }),
  },
  "model-values": { encodePhandle: (phandle) => real.encodeCells([phandle]) },
  "model-places": {
    planBoot(layout, options) {
      // Narrowed before it was compared
      const ram = layout.ram.filter(({ start }) => (start & 0xffff_ffffn) !== 0n || start === 0n);
      return real.planBoot({ ram }, options);
    },
  },
  "model-huge": {
    planBoot(layout, options) {
      const plan = real.planBoot(layout, options);
      const narrow = (size: bigint) => size & 0xffff_ffffn;
      return { ...plan, placements: plan.placements.map((p) => ({ ...p, size: narrow(p.size) })) };
    },
  },
  "model-fdt": {
    parseFdt(bytes) {
      // totalsize is not looked at
      const whole = bytes.slice();
      if (whole.length >= 40) new DataView(whole.buffer).setUint32(4, whole.length);
      return real.parseFdt(whole);
    },
  },
  "limits-fdt": {
    parseFdt(bytes) {
      try {
        return real.parseFdt(bytes);
      } catch (error) {
        if ((error as real.LoaderError).code !== "LIMIT_EXCEEDED") throw error;
        // Any number is taken
        const root = { name: "", properties: [], children: [] };
        return { bootCpuId: 0, reservations: [], root };
      }
    },
  },
  "write-fdt": {
    // Narrowed before it was checked
    writeFdt: (tree) => real.writeFdt({ ...tree, bootCpuId: tree.bootCpuId >>> 0 }),
  },
  dtc: {
    parseFdt(bytes) {
      const other = bytes.slice();
      // Compatibility with older readers is told by another version
      if (other.length >= 40) new DataView(other.buffer).setUint32(20, 17);
      return real.parseFdt(other);
    },
  },
  load: {
    Elf: {
      load(memory, image, options) {
        const result = real.Elf.load(memory, image, options);
        return { ...result, kernelEnd: result.kernelEnd & ~0xfn };
      },
    },
  },
  "load-parts": {
    loadCmdline(memory, address, cmdline) {
      // Without its NUL
      memory.write(address, cmdline.asCString().subarray(0, -1));
    },
  },
  "model-edits": {
    setChosen(tree, chosen) {
      // What a tree says already stays
      real.setChosen(tree, { ...chosen, initrd: chosen.initrd ?? undefined });
    },
  },
  "model-machines": {
    buildArm64Tree: (machine) => real.buildArm64Tree({ ...machine, uart: undefined }),
  },
  "model-zboot": {
    parseZboot(source: real.KernelSource) {
      const image = compressed.parseZboot(source);
      // payload_size counts the size word
      return { ...image, payloadSize: image.payloadSize + 4 };
    },
  } as Partial<Library>,
  unwrap: {
    unwrapKernel: (kernel: Uint8Array | real.KernelSource) => compressed.unwrapKernel(kernel),
  } as Partial<Library>,
  "boot-params": {
    PvhBootConfigurator: {
      writeBootparams(params, memory) {
        memory.write(params.headerStart, params.header);
        real.PvhBootConfigurator.writeBootparams(params, memory);
      },
    },
  },
  bounded: {
    bootLinux(memory, options) {
      new Uint8Array(64 << 20);
      return real.bootLinux(memory, options);
    },
  },
  unpack: {
    // No bound, as in CVE-2012-4544
    decompress: (format: compressed.CompressedFormat, bytes: Uint8Array) =>
      compressed.decompress(format, bytes),
  } as Partial<Library>,
  "unpack-streams": {
    decompress: (format: compressed.CompressedFormat, bytes: Uint8Array) =>
      // What lies behind the data is not looked at
      compressed.decompress(format, format === "xz" ? bytes.subarray(0, -4) : bytes),
  } as Partial<Library>,
  "unpack-matches": {
    decompress: async (format: compressed.CompressedFormat, bytes: Uint8Array) => {
      // The last byte that is copied is lost
      const data = await compressed.decompress(format, bytes);
      return data.fill(0, data.length - 1);
    },
  } as Partial<Library>,
  "unwrap-faults": {
    // The payload's offset is forgotten
    unwrapKernel: (kernel: Uint8Array | real.KernelSource, options: compressed.UnwrapOptions) =>
      compressed.unwrapKernel(kernel, options).catch((error) => {
        throw Object.assign(error, { offset: Math.min(error.offset, 0x400) });
      }),
  } as Partial<Library>,
  "unpack-whole": {
    // Errors tell the stream's offsets, not the file's
    decompress: (
      format: compressed.CompressedFormat,
      bytes: Uint8Array,
      options: compressed.DecompressOptions,
    ) => compressed.decompress(format, bytes, { ...options, offset: 0 }),
  } as Partial<Library>,
  "unpack-sequences": {
    decompress: async (format: compressed.CompressedFormat, bytes: Uint8Array) => {
      // What is copied last is a byte short
      const data = await compressed.decompress(format, bytes);
      return data.with(-1, data[data.length - 1] ^ 1);
    },
  } as Partial<Library>,
  "unpack-bounded": {
    decompress: (format: compressed.CompressedFormat, bytes: Uint8Array) =>
      // As much as may come out
      compressed.decompress(format, bytes, { output: new Uint8Array(1 << 26) }),
  } as Partial<Library>,
  "unpack-work": {
    // A buffer for each part, as large as any could be
    decompress(format: compressed.CompressedFormat, bytes: Uint8Array, options) {
      for (let at = 0; at < bytes.length; at += 16) new Uint8Array(900_000);
      return compressed.decompress(format, bytes, options);
    },
  } as { decompress: typeof compressed.decompress } as Partial<Library>,
  linear: quadratic(),
  "stable-sources": {
    bootLinux(memory, options) {
      if (options.kernel instanceof Uint8Array) return real.bootLinux(memory, options);
      throw new LoaderError("INVALID_OPTION", "Cannot use option kernel: no bytes");
    },
  },
  "stable-runtimes": {
    bootLinux(memory, options) {
      const plan = real.bootLinux(memory, options);
      return { ...plan, protocol: "pvh" };
    },
  },
};

/** Copies a range as often as there are program headers. */
function quadratic(): Partial<Library> & { work: () => number } {
  let count = 0;
  return {
    planBoot(layout, options) {
      const { size } = options.kernel instanceof Uint8Array
        ? { size: options.kernel.length }
        : options.kernel;
      count += size * size;
      return real.planBoot(layout, options);
    },
    parseFdt(bytes) {
      count += bytes.length ** 2;
      return real.parseFdt(bytes);
    },
    work: () => count,
  };
}

/** Runs a property until it fails. */
async function run(property: Property, library: Library, runs: number): Promise<Tally> {
  const tally: Tally = { property, runs: 0, replayed: 0, ms: 0 };
  for (let batch = 0; tally.runs < runs && !tally.failure; batch++) {
    const seed = batchSeed(1, property.name, batch);
    await runBatch(tally, { seed, runs: Math.min(100, runs) }, { library, keep: false });
  }
  return tally;
}

describe("PROPERTIES", () => {
  it("are all files of properties/, and called as these", () => {
    const files = readdirSync(join(HERE, "properties")).filter((file) => file.endsWith(".ts"));
    const names = PROPERTIES.map(({ name }) => `${name.replaceAll("-", "_")}.ts`);
    assertEquals([...names].sort(), files.sort());
  });

  for (const property of PROPERTIES) {
    const slow = (property.share ?? 1) < 0.1;
    const reason = property.skip?.();
    it(`${property.name} finds a library that is broken`, { skip: reason ?? false }, async () => {
      const broken = { ...real, ...BROKEN[property.name] } as Library;
      const { failure, runs } = await run(property, broken, slow ? 20 : 3000);
      assertEquals(failure !== undefined, true, `nothing found in ${runs} runs`);
      assertEquals(failure!.reproduce.startsWith("deno task fuzz --only "), true);
    });
  }
});
