/* probe-elf64: one ELF with two entries, as a vmlinux is. */
#include "saved.h"

        .section .head.text, "ax"
        .globl image_start, entry, entry64, guest_name
        .set    entry, entry64
image_start:
        /* Neither entry is the load address: a loader that confuses them faults here. */
        .code64
        ud2
        .balign 64, 0xcc
entry64:
        jmp     entry64_common
        .balign 64, 0xcc

        .code32
pvh_entry:
        movl    %ebp, saved+SAVED_RBP   /* linked where it is loaded: absolute addresses are right */
        movl    %esp, saved+SAVED_RSP
        movl    $image_start, %ebp
        movl    $pvh_entry, saved+SAVED_RIP
        movl    $PROTOCOL_PVH, saved+SAVED_PROTOCOL
        jmp     entry32_common

#include "entry32.S"

        /* Xen public/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY. 8 bytes, as Linux writes it. */
        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 8, 18
        .asciz  "Xen"
        .quad   pvh_entry

        .section .rodata
guest_name:
        .asciz  "probe-elf64"
