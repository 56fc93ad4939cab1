/* The riscv64 Image: boot-image-header.rst. Position independent: lla, never an absolute address. */
        .option norvc
        .section .head.text, "ax"
        .globl  image_start
image_start:
        j       entry                   /* code0 */
        .word   0                       /* code1 */
        .quad   0x200000                /* text_offset, as Linux has it for 64 bits */
        .quad   image_size
        .quad   0                       /* flags: little endian */
        .word   2                       /* version 0.2 */
        .word   0
        .quad   0
        .ascii  "RISCV\0\0\0"
        .ascii  "RSC\x05"
        .word   0                       /* no PE header */

        /* Nothing can be stored without a register for the address, so sscratch holds t0 for a
         * moment. */
entry:  csrw    sscratch, t0
        lla     t0, saved
        .irp    n, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        sd      x\n, 8 * (\n)(t0)
        .endr
        csrr    t1, sscratch
        sd      t1, 8 * 5(t0)           /* t0 itself */
        csrr    t1, satp
        sd      t1, 0x100(t0)
        csrr    t1, sstatus
        sd      t1, 0x108(t0)
        csrr    t1, sie
        sd      t1, 0x110(t0)
        csrci   sstatus, 2              /* SIE */
        lla     t1, exception
        csrw    stvec, t1

        /* Count what the loader left in .bss, then clear it. boot.rst promises no zeroes here; the
         * count tells what the loader did. */
        lla     t1, bss_start
        lla     t2, bss_end
        li      t3, 0
1:      lbu     t4, 0(t1)
        snez    t4, t4
        add     t3, t3, t4
        sb      zero, 0(t1)
        addi    t1, t1, 1
        bne     t1, t2, 1b
        sd      t3, 0x118(t0)
        lla     sp, stack_top
        call    probe_main
2:      wfi
        j       2b

        .balign 4                       /* stvec: the low bits are the mode, 0 is direct */
exception:
        csrr    a0, scause
        csrr    a1, sepc
        csrr    a2, stval
        lla     sp, stack_top
        j       probe_fault

        .data
        .balign 16
        .globl  saved
saved:  .skip   0x120

        .bss
        .balign 16
        .skip   16384
        .globl  stack_top
stack_top:
        .skip   0x10000                 /* so that stale memory has room to show */
