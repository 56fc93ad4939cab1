/* probe-elf32: an ELF32 for i386 with two entries, as an i386 vmlinux with CONFIG_PVH is. What
 * reports is the 64-bit code of the other guests; only the way in is 32-bit. */
#include "saved.h"

        .section .head.text, "ax"
        .globl image_start, entry, entry64, guest_name
image_start:
entry64:                                /* there is none: entry64.S wants the name */
        ud2
        .balign 64, 0xcc

        .code32
entry:                                  /* linked where it is loaded: absolute addresses are right */
        movl    %ebp, saved+SAVED_RBP
        movl    %esp, saved+SAVED_RSP
        movl    $image_start, %ebp
        movl    $entry, saved+SAVED_RIP
        movl    $PROTOCOL_LINUX32, saved+SAVED_PROTOCOL
        jmp     entry32_common
        .balign 64, 0xcc
pvh_entry:
        movl    %ebp, saved+SAVED_RBP
        movl    %esp, saved+SAVED_RSP
        movl    $image_start, %ebp
        movl    $pvh_entry, saved+SAVED_RIP
        movl    $PROTOCOL_PVH, saved+SAVED_PROTOCOL
        jmp     entry32_common

#include "entry32.S"

        /* Xen public/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY. 4 bytes, as an i386 Linux writes it. */
        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 4, 18
        .asciz  "Xen"
        .long   pvh_entry

        .section .rodata
guest_name:
        .asciz  "probe-elf32"
