/* The 64-bit Linux entry (boot.rst, "64-bit Boot Protocol"; a vmlinux's e_entry likewise), the
 * guest's data that must not lie in .bss, and the exception stubs. */
#include "saved.h"

        .text
        .code64
        .globl entry64_common
/* Jumped to by each guest's entry64 with every register as found. mov, lea and push leave the flags
 * alone, so they are saved before anything that would not. */
entry64_common:
        movq    %rax, saved+SAVED_RAX(%rip)
        movq    %rbx, saved+SAVED_RBX(%rip)
        movq    %rcx, saved+SAVED_RCX(%rip)
        movq    %rdx, saved+SAVED_RDX(%rip)
        movq    %rsi, saved+SAVED_RSI(%rip)
        movq    %rdi, saved+SAVED_RDI(%rip)
        movq    %rbp, saved+SAVED_RBP(%rip)
        movq    %rsp, saved+SAVED_RSP(%rip)
        movq    %r8,  saved+SAVED_R8(%rip)
        movq    %r9,  saved+SAVED_R9(%rip)
        movq    %r10, saved+SAVED_R10(%rip)
        movq    %r11, saved+SAVED_R11(%rip)
        movq    %r12, saved+SAVED_R12(%rip)
        movq    %r13, saved+SAVED_R13(%rip)
        movq    %r14, saved+SAVED_R14(%rip)
        movq    %r15, saved+SAVED_R15(%rip)
        leaq    early_stack_top(%rip), %rsp
        pushfq
        popq    saved+SAVED_RFLAGS(%rip)
        cli
        cld

        leaq    entry64(%rip), %rax
        movq    %rax, saved+SAVED_RIP(%rip)
        movq    %cr0, %rax
        movq    %rax, saved+SAVED_CR0(%rip)
        movq    %cr2, %rax
        movq    %rax, saved+SAVED_CR2(%rip)
        movq    %cr3, %rax
        movq    %rax, saved+SAVED_CR3(%rip)
        movq    %cr4, %rax
        movq    %rax, saved+SAVED_CR4(%rip)
        movl    $0xc0000080, %ecx       /* EFER */
        rdmsr
        movl    %eax, saved+SAVED_EFER(%rip)
        movl    %edx, saved+SAVED_EFER+4(%rip)

        movl    %cs, %eax
        movq    %rax, saved+SAVED_CS(%rip)
        movl    %ds, %eax
        movq    %rax, saved+SAVED_DS(%rip)
        movl    %es, %eax
        movq    %rax, saved+SAVED_ES(%rip)
        movl    %fs, %eax
        movq    %rax, saved+SAVED_FS(%rip)
        movl    %gs, %eax
        movq    %rax, saved+SAVED_GS(%rip)
        movl    %ss, %eax
        movq    %rax, saved+SAVED_SS(%rip)
        strl    %eax
        movq    %rax, saved+SAVED_TR(%rip)
        sldtl   %eax
        movq    %rax, saved+SAVED_LDTR(%rip)
        sgdt    saved+SAVED_GDT_LIMIT(%rip)
        sidt    saved+SAVED_IDT_LIMIT(%rip)
        movq    $PROTOCOL_LINUX64, saved+SAVED_PROTOCOL(%rip)

        /* Count the bytes that the loader left in .bss, and clear them. Eight at a time: a monitor
         * that interprets ring 0 takes a microsecond an instruction. */
        leaq    bss_start(%rip), %rdi
        leaq    bss_end(%rip), %rcx
        xorl    %edx, %edx
1:      cmpq    $0, (%rdi)
        je      3f
        movl    $8, %ebx
2:      cmpb    $1, -1(%rdi, %rbx)      /* carry: the byte is 0 */
        sbbq    $-1, %rdx
        decl    %ebx
        jnz     2b
        movq    $0, (%rdi)
3:      addq    $8, %rdi
        cmpq    %rcx, %rdi
        jb      1b
        movq    %rdx, saved+SAVED_BSS_DIRTY(%rip)
        leaq    stack_top(%rip), %rsp
        call    probe_main
        ud2

/* void use_gdt(const struct table_register *): LGDT, and cs from it. */
        .globl use_gdt
use_gdt:
        lgdt    (%rdi)
        popq    %rax
        pushq   $OUR_CS
        pushq   %rax
        lretq

/* 32 exception stubs of 16 bytes. Those without an error code push a zero: SDM volume 3, table 6-1;
 * vectors 8, 10-14, 17, 21, 29, 30 have one. */
        .balign 16
        .globl exception_stubs
exception_stubs:
        .set    vector, 0
        .rept   32
        .balign 16
        .if     !((0x60227d00 >> vector) & 1)
        pushq   $0
        .endif
        pushq   $vector
        jmp     exception
        .set    vector, vector + 1
        .endr

exception:
        popq    %rdi                    /* vector */
        popq    %rsi                    /* error code */
        popq    %rdx                    /* rip */
        movq    %cr2, %rcx
        andq    $-16, %rsp
        call    probe_fault
        ud2

        .data
        .balign 16
        .globl saved, our_gdt, our_gdtr, early_stack_top
saved:  .skip   SAVED_SIZE
our_gdt:
        .quad   0, 0
        .quad   0x00af9b000000ffff      /* 0x10: 64-bit code */
        .quad   0x00cf93000000ffff      /* 0x18: flat data */
our_gdt_end:
        .balign 8
our_gdtr:
        .word   our_gdt_end - our_gdt - 1
        .quad   0                       /* the run-time base is filled in: no relocation */
        .balign 16
        .skip   64
early_stack_top:

        .bss
        .balign 16
        .globl stack_top
        .skip   16384
stack_top:
