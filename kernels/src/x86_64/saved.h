/* The CPU as the entry code found it. Read by the assembler and the compiler alike. */
#ifndef SAVED_H
#define SAVED_H

#define SAVED_RAX 0x00
#define SAVED_RBX 0x08
#define SAVED_RCX 0x10
#define SAVED_RDX 0x18
#define SAVED_RSI 0x20
#define SAVED_RDI 0x28
#define SAVED_RBP 0x30
#define SAVED_RSP 0x38
#define SAVED_R8 0x40
#define SAVED_R9 0x48
#define SAVED_R10 0x50
#define SAVED_R11 0x58
#define SAVED_R12 0x60
#define SAVED_R13 0x68
#define SAVED_R14 0x70
#define SAVED_R15 0x78
#define SAVED_RIP 0x80
#define SAVED_RFLAGS 0x88
#define SAVED_CR0 0x90
#define SAVED_CR2 0x98
#define SAVED_CR3 0xa0
#define SAVED_CR4 0xa8
#define SAVED_EFER 0xb0
#define SAVED_CS 0xb8
#define SAVED_DS 0xc0
#define SAVED_ES 0xc8
#define SAVED_FS 0xd0
#define SAVED_GS 0xd8
#define SAVED_SS 0xe0
#define SAVED_TR 0xe8
#define SAVED_LDTR 0xf0
#define SAVED_GDT_LIMIT 0xf8 /* u16, then the base: what SGDT stores */
#define SAVED_GDT_BASE 0xfa
#define SAVED_IDT_LIMIT 0x108
#define SAVED_IDT_BASE 0x10a
#define SAVED_PROTOCOL 0x118
#define SAVED_BSS_DIRTY 0x120
#define SAVED_SIZE 0x128

#define PROTOCOL_LINUX64 0
#define PROTOCOL_LINUX32 1
#define PROTOCOL_PVH 2

/* Our own GDT. The same selectors as boot.rst asks of a loader (__BOOT_CS, __BOOT_DS). */
#define OUR_CS 0x10
#define OUR_DS 0x18

#ifndef __ASSEMBLER__
#include "../report.h"

#define SELECTORS 8

struct __attribute__((packed)) table_register {
  u16 limit;
  u64 base;
  u8 padding[6];
};

struct saved {
  u64 gpr[16]; /* rax rbx rcx rdx rsi rdi rbp rsp r8..r15 */
  u64 rip, rflags, cr0, cr2, cr3, cr4, efer;
  u64 selector[SELECTORS]; /* cs ds es fs gs ss tr ldtr */
  struct table_register gdt, idt;
  u64 protocol;
  u64 bss_dirty;
};

_Static_assert(__builtin_offsetof(struct saved, rip) == SAVED_RIP, "rip");
_Static_assert(__builtin_offsetof(struct saved, selector) == SAVED_CS, "selectors");
_Static_assert(__builtin_offsetof(struct saved, gdt) == SAVED_GDT_LIMIT, "gdt");
_Static_assert(__builtin_offsetof(struct saved, idt.base) == SAVED_IDT_BASE, "idt");
_Static_assert(__builtin_offsetof(struct saved, protocol) == SAVED_PROTOCOL, "protocol");
_Static_assert(sizeof(struct saved) == SAVED_SIZE, "size");
#endif
#endif
