/** A segment register with its hidden part, in the fields of the descriptor (Intel SDM vol. 3, 3.4.5). */
export interface X86Segment {
  /** What the register holds. */
  readonly selector: number;
  /** Linear address of the segment's first byte. */
  readonly base: bigint;
  /** The last offset in the segment, in bytes: the granularity bit is worked in. */
  readonly limit: number;
  /** Descriptor type, 4 bits: 0xb execute/read, 0x3 read/write, 0xb busy TSS. */
  readonly type: number;
  /** Descriptor type flag: true for code and data, false for a system segment such as a TSS. */
  readonly s: boolean;
  /** Descriptor privilege level. */
  readonly dpl: number;
  /** Whether the segment is present; false means unusable. */
  readonly present: boolean;
  /** Available for software. */
  readonly avl: boolean;
  /** 64-bit code segment. */
  readonly l: boolean;
  /** Default operation size: true for 32 bits. */
  readonly db: boolean;
  /** Granularity: whether the descriptor's limit counts 4 KiB pages. */
  readonly g: boolean;
}

/** GDTR or IDTR. */
export interface X86DescriptorTable {
  /** Guest-physical (and linear) address. */
  readonly base: bigint;
  /** The last offset in the table, in bytes. */
  readonly limit: number;
}

/** Everything the first x86_64 vCPU needs; what is not named is as after reset. */
export interface X86CpuState {
  /** The tag of this state. */
  readonly arch: "x86_64";
  /** `"long"`: 64-bit mode, paging on. `"protected"`: 32-bit protected mode, paging off. */
  readonly mode: "long" | "protected";
  /** Where execution starts: a guest-physical address, which is also the linear one. */
  readonly rip: bigint;
  /** Only bit 1, which is always set: interrupts are off. */
  readonly rflags: bigint;
  /** General register. */
  readonly rax: bigint;
  /** General register: hvm_start_info for PVH. */
  readonly rbx: bigint;
  /** General register. */
  readonly rcx: bigint;
  /** General register. */
  readonly rdx: bigint;
  /** General register: the zero page for the Linux protocols. */
  readonly rsi: bigint;
  /** General register. */
  readonly rdi: bigint;
  /** General register. */
  readonly rbp: bigint;
  /** The stack pointer; no protocol gives a stack. */
  readonly rsp: bigint;
  /** r8 to r15. */
  readonly r8to15: readonly bigint[];
  /** Control register 0. */
  readonly cr0: bigint;
  /** Guest-physical address of the top page table; 0 while paging is off. */
  readonly cr3: bigint;
  /** Control register 4. */
  readonly cr4: bigint;
  /** Model-specific register 0xc0000080. */
  readonly efer: bigint;
  /** The segment registers. */
  readonly segments: {
    readonly cs: X86Segment;
    readonly ds: X86Segment;
    readonly es: X86Segment;
    readonly fs: X86Segment;
    readonly gs: X86Segment;
    readonly ss: X86Segment;
    readonly tr: X86Segment;
    readonly ldt: X86Segment;
  };
  /** The global descriptor table, which is one of the plan's placements. */
  readonly gdt: X86DescriptorTable;
  /** The interrupt descriptor table: empty, interrupts are off. */
  readonly idt: X86DescriptorTable;
}

/** Everything the first arm64 vCPU needs; what is not named is as after reset. MMU and caches are off. */
export interface Arm64CpuState {
  /** The tag of this state. */
  readonly arch: "aarch64";
  /** Where execution starts: a guest-physical address. */
  readonly pc: bigint;
  /** The exception level that PSTATE names. */
  readonly el: 1 | 2;
  /** PSTATE in the format of SPSR: D, A, I and F masked, EL1h or EL2h. */
  readonly pstate: bigint;
  /** Guest-physical address of the device tree. */
  readonly x0: bigint;
  /** Zero. */
  readonly x1: bigint;
  /** Zero. */
  readonly x2: bigint;
  /** Zero. */
  readonly x3: bigint;
}

/** Everything the boot hart of a riscv64 machine needs; what is not named is as after reset. */
export interface Riscv64CpuState {
  /** The tag of this state. */
  readonly arch: "riscv64";
  /** Where execution starts, in supervisor mode: a guest-physical address. */
  readonly pc: bigint;
  /** The hart's id. */
  readonly a0: bigint;
  /** Guest-physical address of the device tree. */
  readonly a1: bigint;
  /** Zero: translation is off. */
  readonly satp: bigint;
}

/** How the first vCPU starts. */
export type CpuState = X86CpuState | Arm64CpuState | Riscv64CpuState;
