/**
 * Benchmarks of loading: against the plain positional read of the same bytes, from the page cache,
 * to the same guest addresses.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import {
  applyPlan,
  type Arm64Machine,
  bootLinux,
  type BootOptions,
  detectKernel,
  GuestMemory,
  type KernelSource,
  parseElf,
  planBoot,
} from "../mod.ts";
import { type FileSource, openFile } from "../src/files.ts";
import { compare, type Comparison } from "./bench_stats.ts";

/** One read is capped: Deno and Node throw at 2^31 bytes. */
const MAX_READ = 1 << 30;
const MIN_MEMORY = 256 << 20;
/** Loads after which the compiler has little more to do. */
const WARM_UP = 300;
const PAGE = 0x10000; // of a WebAssembly.Memory
const ARM64_RAM = 0x4000_0000n;

/** An arm64 machine with as little as booting takes. */
const ARM64_MACHINE: Arm64Machine = {
  cpus: 1,
  psci: "hvc",
  gic: {
    version: 3,
    distributor: { start: 0x800_0000n, size: 0x1_0000n },
    redistributors: [{ start: 0x80a_0000n, size: 0x2_0000n }],
  },
};

/** A kernel under the bench. */
export class Bench {
  readonly path: string;
  readonly #source: FileSource;
  readonly #options: BootOptions;
  readonly #start: bigint;
  readonly #pages: number;

  /**
   * Opens a kernel.
   *
   * @param path The kernel.
   */
  constructor(path: string) {
    this.path = path;
    this.#source = openFile(path);
    const isArm64 = detectKernel(this.#source) === "arm64-image";
    this.#start = isArm64 ? ARM64_RAM : 0n;
    this.#options = {
      kernel: this.#source,
      cmdline: "console=ttyS0 panic=-1",
      deviceTree: isArm64 ? ARM64_MACHINE : undefined,
    };
    this.#pages = Math.ceil(Math.max(MIN_MEMORY, 4 * this.#source.size) / PAGE);
  }

  /** Closes the kernel. */
  close(): void {
    this.#source.close();
  }

  /** Bytes that are read into guest memory. */
  get bytes(): number {
    return this.#reads(this.#memory()).reduce((sum, { view }) => sum + view.length, 0);
  }

  /**
   * Loads into memory that was used before.
   *
   * @param rounds How many rounds.
   * @returns The plain read, and the loading.
   */
  reused(rounds: number): Comparison {
    const memory = this.#memory();
    const reads = this.#reads(memory);
    this.#warmUp(memory, WARM_UP);
    return this.#withFile((fd) =>
      compare(
        rounds,
        () => timed(() => readAll(fd, reads)),
        () => {
          const plan = planBoot(memory, this.#options);
          return timed(() => applyPlan(memory, plan));
        },
      )
    );
  }

  /**
   * Loads into memory that nobody has touched, a new one each time.
   *
   * @param rounds How many rounds.
   * @returns The plain read, and the loading.
   */
  fresh(rounds: number): Comparison {
    const used = this.#memory();
    this.#warmUp(used, WARM_UP);
    const cold = (run: (memory: GuestMemory) => void): number => {
      collect();
      this.#warmUp(used, 3); // collecting garbage also drops compiled code
      const memory = this.#memory();
      return timed(() => run(memory));
    };
    // What goes where is worked out once, on another memory: planning is measured on its own
    const plan = planBoot(used, this.#options);
    const places = this.#reads(used).map(({ offset, view }) => ({
      offset,
      at: view.byteOffset,
      size: view.length,
    }));
    return this.#withFile((fd) =>
      compare(
        rounds,
        () =>
          cold((memory) => {
            const [{ bytes }] = memory.regions;
            readAll(
              fd,
              places.map(({ offset, at, size }) => ({
                offset,
                view: bytes.subarray(at, at + size),
              })),
            );
          }),
        () => cold((memory) => applyPlan(memory, plan, { fresh: true })),
      )
    );
  }

  /**
   * Plans, each time after a load that has evicted what the CPU had cached.
   *
   * @param rounds How often.
   * @returns Milliseconds of each, warm.
   */
  planning(rounds: number): number[] {
    const memory = this.#memory();
    this.#warmUp(memory, WARM_UP);
    return Array.from({ length: rounds }, () => {
      bootLinux(memory, this.#options);
      return timed(() => planBoot(memory, this.#options));
    });
  }

  /** Cold is the memory, not the code: a VMM's first boot pays a few ms more for compiling it. */
  #warmUp(memory: GuestMemory, rounds: number): void {
    for (let i = 0; i < rounds; i++) bootLinux(memory, this.#options);
  }

  /** New memory. As with mmap, its pages come when they are touched, and it is page-aligned. */
  #memory(): GuestMemory {
    const { buffer } = new WebAssembly.Memory({ initial: this.#pages, maximum: this.#pages });
    return GuestMemory.of([{ start: this.#start, bytes: new Uint8Array(buffer) }]);
  }

  /** What the loading reads from the file, and where to. */
  #reads(memory: GuestMemory): Read[] {
    const { placements } = planBoot(memory, this.#options);
    return placements.flatMap((placement) => {
      if (placement.content.kind !== "source") return [];
      const { offset } = placement.content;
      return memory.views(placement).map((view) => ({ offset, view }));
    });
  }

  #withFile<T>(run: (fd: number) => T): T {
    const fd = openSync(this.path, "r");
    try {
      return run(fd);
    } finally {
      closeSync(fd);
    }
  }
}

interface Read {
  offset: number;
  view: Uint8Array;
}

/** The plain positional read. */
function readAll(fd: number, reads: readonly Read[]): void {
  for (const { offset, view } of reads) {
    for (let done = 0; done < view.length;) {
      const part = Math.min(view.length - done, MAX_READ);
      const count = readSync(fd, view, done, part, offset + done);
      if (count === 0) throw new Error(`Cannot read ${view.length} bytes: the file has shrunk`);
      done += count;
    }
  }
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** Has unreachable memories unmapped, where the runtime can be told to (`--expose-gc`). */
function collect(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (gc !== undefined) gc();
  else Bun?.gc(true);
}

/**
 * Parses an ELF file with 65,535 program headers, all of them PT_LOAD.
 *
 * @param rounds How often.
 * @returns Milliseconds of each.
 */
export function parsingHeaders(rounds: number): number[] {
  const count = 0xffff;
  const end = 64 + count * 56;
  const elf = Buffer.alloc(end + 64);
  elf.write("7f454c46020101", 0, "hex"); // ELF, 64-bit, little-endian, version 1
  elf.writeUInt16LE(2, 0x10); // e_type ET_EXEC
  elf.writeUInt16LE(62, 0x12); // e_machine EM_X86_64
  elf.writeUInt32LE(1, 0x14); // e_version
  elf.writeBigUInt64LE(64n, 0x20); // e_phoff
  elf.writeBigUInt64LE(BigInt(end), 0x28); // e_shoff
  elf.writeUInt16LE(64, 0x34); // e_ehsize
  elf.writeUInt16LE(56, 0x36); // e_phentsize
  elf.writeUInt16LE(0xffff, 0x38); // e_phnum PN_XNUM: the count is in section header 0
  elf.writeUInt32LE(count, end + 0x2c); // sh_info
  for (let i = 0; i < count; i++) {
    const at = 64 + i * 56;
    elf.writeUInt32LE(1, at); // p_type PT_LOAD
    elf.writeBigUInt64LE(BigInt(0x100_0000 + i * 0x1000), at + 0x18); // p_paddr
    elf.writeBigUInt64LE(1n, at + 0x20); // p_filesz
    elf.writeBigUInt64LE(0x1000n, at + 0x28); // p_memsz
  }
  const source: KernelSource = {
    size: elf.length,
    readAt: (offset, target) => elf.copy(target, 0, offset),
  };
  const check = parseElf(source).segments.length;
  if (check !== count) throw new Error(`Cannot measure: ${check} segments, ${count} are wanted`);
  return Array.from({ length: rounds + 5 }, () => timed(() => parseElf(source))).slice(5);
}
