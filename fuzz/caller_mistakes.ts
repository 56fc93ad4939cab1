/**
 * The closed list of what may throw a TypeError or a RangeError: mistakes in the calling code that
 * no input file can cause. Everything else that is thrown must be a LoaderError.
 *
 * @module
 */
import { VIRT_ARM64 } from "./arbitraries/virt.ts";
import type { Library } from "./property.ts";

/** A mistake that a caller can make and a file cannot. */
export interface CallerMistake {
  /** What the caller does. */
  readonly what: string;
  /** What is thrown. */
  readonly error: "TypeError" | "RangeError";
  /** What its message looks like. */
  readonly message: RegExp;
  /** Makes the mistake. */
  readonly make: (library: Library) => unknown;
}

/** TypeScript's types forbid most of these: a caller in JavaScript can still make them. */
// deno-lint-ignore no-explicit-any
const wrong = (value: unknown): any => value;
const REGION = [{ start: 0n, bytes: new Uint8Array(16) }];
const RAM = { ram: [{ start: 0n, size: 1n << 20n }] };

/** All of them. */
export const CALLER_MISTAKES: readonly CallerMistake[] = [
  {
    what: "a kernel that is neither bytes nor a source",
    error: "TypeError",
    message: /^Cannot read kernel: expected a Uint8Array or a KernelSource/,
    make: ({ planBoot }) => planBoot(RAM, { kernel: wrong("vmlinux") }),
  },
  {
    what: "a source whose size is no count of bytes",
    error: "TypeError",
    message: /^Cannot read kernel: expected a Uint8Array or a KernelSource/,
    make: ({ planBoot }) => planBoot(RAM, { kernel: { size: NaN, readAt: () => 0 } }),
  },
  {
    what: "a memory region that is not { start: bigint, bytes: Uint8Array }",
    error: "TypeError",
    message: /^Cannot use guest memory: expected regions/,
    make: ({ GuestMemory }) => GuestMemory.of([wrong({ start: 0, bytes: new Uint8Array(1) })]),
  },
  {
    what: "a RAM range that is not { start: bigint, size: bigint }",
    error: "TypeError",
    message: /^Cannot use guest memory: expected ranges/,
    make: ({ planBoot }) => planBoot({ ram: [wrong({ start: 0, size: 1 })] }, { kernel: elf() }),
  },
  {
    what: "RAM that is no list",
    error: "TypeError",
    message: /^Cannot use guest memory: expected ranges/,
    make: ({ planBoot }) => planBoot(wrong(new Uint8Array(64)), { kernel: elf() }),
  },
  {
    what: "an option of another type",
    error: "TypeError",
    message: /^Cannot use kernelAddress: expected a bigint, got number/,
    make: ({ planBoot }) => planBoot(RAM, { kernel: elf(), kernelAddress: wrong(5) }),
  },
  {
    what: "an item of another type in an option's list",
    error: "TypeError",
    message: /^Cannot use reservations\[1\]\.start: expected a bigint, got number/,
    make: ({ planBoot }) => {
      const reservation = { name: "r", start: 0n, size: 1n };
      const reservations = [reservation, { ...reservation, start: wrong(5) }];
      return planBoot(RAM, { kernel: elf(), reservations });
    },
  },
  {
    what: "a device of a machine whose address is no bigint",
    error: "TypeError",
    message: /^Cannot use uart: expected bigint addresses, got number/,
    make: ({ buildArm64Tree }) =>
      buildArm64Tree({
        ...VIRT_ARM64,
        uart: { type: "pl011", address: wrong(0x900_0000), irq: 1 },
      }),
  },
  {
    what: "an address that is no bigint",
    error: "TypeError",
    message: /^Cannot [^:]*kernelOffset[^:]*: expected a bigint/,
    make: ({ Elf, GuestMemory }) =>
      Elf.load(GuestMemory.of(REGION), elf(), { kernelOffset: wrong(0x200000) }),
  },
  {
    what: "an architecture that PE.load does not know",
    error: "TypeError",
    message: /^Cannot load Image: arch undefined/,
    make: ({ PE, GuestMemory }) => PE.load(GuestMemory.of(REGION), elf(), wrong({})),
  },
  {
    what: "a command line that is no Cmdline",
    error: "TypeError",
    message: /^Cannot use cmdline: expected a Cmdline, got string/,
    make: ({ loadCmdline, GuestMemory }) =>
      loadCmdline(GuestMemory.of(REGION), 0n, wrong("console=ttyS0")),
  },
  {
    what: "a command line part that is no string",
    error: "TypeError",
    message: /^Cannot use key: expected a string, got number/,
    make: ({ Cmdline }) => new Cmdline(64).insert(wrong(1), "value"),
  },
  {
    what: "a number that does not fit the field of a struct being written",
    error: "RangeError",
    message: /^Cannot write 65536 to 2 bytes at offset 16/,
    make: ({ ELF64_EHDR }) => ELF64_EHDR.write(new Uint8Array(64), { e_type: 65536 }),
  },
  {
    what: "bytes that do not fit the field of a struct being written",
    error: "RangeError",
    message: /^Cannot write 15 bytes at offset 0: 16 are wanted/,
    make: ({ ELF64_EHDR }) => ELF64_EHDR.write(new Uint8Array(64), { e_ident: new Uint8Array(15) }),
  },
  {
    what: "a virtio device's number that does not fit its 64 or 32 bits",
    error: "RangeError",
    message: /^Cannot insert virtio_mmio\.device: irq -1/,
    make: ({ Cmdline }) => new Cmdline(64).addVirtioMmioDevice(1n, 0n, -1),
  },
  {
    what: "a struct whose rows are out of order",
    error: "TypeError",
    message: /^Cannot define pair\.b: row out of order or size/,
    make: ({ Struct, ELF64_NHDR: { fields: { n_descsz } } }) =>
      new Struct<{ a: number; b: number }>("pair", 8, { a: n_descsz, b: n_descsz }),
  },
];

/** The first bytes of an ELF file. */
function elf(): Uint8Array {
  const file = new Uint8Array(64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  new DataView(file.buffer).setUint16(0x36, 56, true);
  new DataView(file.buffer).setUint8(0x20, 64);
  return file;
}
