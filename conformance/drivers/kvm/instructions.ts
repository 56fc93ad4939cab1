/** Tiny kernels of a few instructions each, to find out what a KVM can run. */
import {
  type AddressRange,
  ELF64_EHDR,
  ELF64_PHDR,
  ELFCLASS64,
  ELFDATA2LSB,
} from "../../../mod.ts";
import { EM_X86_64, ET_EXEC, EV_CURRENT, PT_LOAD } from "../../../mod.ts";

/** How every one ends: `xor eax, eax; out 0xf4, al`, the debug-exit port. */
const END = [0x31, 0xc0, 0xe6, 0xf4];

/**
 * Instructions that every x86_64 Linux of a distribution comes across in kernel mode. A KVM on real
 * hardware runs guests on the CPU, and has no say in these. One that emulates a guest's kernel code
 * has only what its emulator knows (Linux, arch/x86/kvm/emulate.c).
 */
export const INSTRUCTIONS: { readonly [name: string]: readonly number[] } = {
  popcnt: [0xf3, 0x0f, 0xb8, 0xc1], // popcnt eax, ecx
  cmpxchg16b: [0x48, 0x8d, 0x3d, 0xe9, 0x07, 0, 0, 0x48, 0x0f, 0xc7, 0x0f], // lea rdi, …; cmpxchg16b [rdi]
  xorps: [
    ...[0x0f, 0x20, 0xe0, 0x80, 0xcc, 0x02, 0x0f, 0x22, 0xe0], // or CR4.OSFXSR into cr4
    ...[0x0f, 0x57, 0xc0], // xorps xmm0, xmm0
  ],
  fwait: [0x9b],
  verw: [0x66, 0x8c, 0xd8, 0x0f, 0x00, 0xe8], // mov ax, ds; verw ax
};

/** Where tiny kernels lie. */
const LOAD_ADDRESS = 0x10_0000n;
/** cmpxchg16b's operand, 16-byte aligned, is 0x7e9 + 7 = 0x7f0 behind the first byte. */
const MEMORY_SIZE = 0x1000n;

/**
 * Makes a tiny kernel.
 *
 * @param code What it does before it ends, through the debug-exit port.
 * @returns An ELF file.
 */
export function tinyKernel(code: readonly number[]): Uint8Array {
  const text = Uint8Array.of(...code, ...END);
  const start = ELF64_EHDR.size + ELF64_PHDR.size;
  const file = new Uint8Array(start + text.length);
  ELF64_EHDR.write(file, {
    e_ident: Uint8Array.of(
      ...[0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, EV_CURRENT],
      ...Array(9).fill(0),
    ),
    e_type: ET_EXEC,
    e_machine: EM_X86_64,
    e_version: EV_CURRENT,
    e_entry: LOAD_ADDRESS,
    e_phoff: BigInt(ELF64_EHDR.size),
    e_ehsize: ELF64_EHDR.size,
    e_phentsize: ELF64_PHDR.size,
    e_phnum: 1,
  });
  ELF64_PHDR.write(file, {
    p_type: PT_LOAD,
    p_offset: BigInt(start),
    p_vaddr: LOAD_ADDRESS,
    p_paddr: LOAD_ADDRESS,
    p_filesz: BigInt(text.length),
    p_memsz: MEMORY_SIZE,
  }, ELF64_EHDR.size);
  file.set(text, start);
  return file;
}

/** The page that an x86 CPU starts in (Intel SDM vol. 3, 10.1.4). */
export const RESET_PAGE: AddressRange = { start: 0xffff_f000n, size: 0x1000n };
const RESET_VECTOR = 0xff0;

/**
 * The smallest firmware.
 *
 * @returns What {@linkcode RESET_PAGE} holds: 16-bit code that ends at once.
 */
export function resetPage(): Uint8Array {
  const page = new Uint8Array(Number(RESET_PAGE.size));
  page.set(END, RESET_VECTOR);
  return page;
}
