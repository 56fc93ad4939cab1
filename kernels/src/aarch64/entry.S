/* The arm64 Image: booting.rst, section 4. Position independent: adr, never an absolute address. */
        .section .head.text, "ax"
        .globl  image_start
image_start:
        b       entry                   /* code0 */
        .long   0                       /* code1 */
        .quad   0                       /* text_offset */
        .quad   image_size
        .quad   0xa                     /* flags: little endian, 4 KiB pages, placed anywhere */
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .long   0                       /* no PE header */

        /* Nothing can be stored without a register for the address, so TPIDR_EL0 holds x30 for a
         * moment; msr leaves the flags alone. */
entry:  msr     tpidr_el0, x30
        adr     x30, saved
        stp     x0, x1, [x30, #0x00]
        stp     x2, x3, [x30, #0x10]
        stp     x4, x5, [x30, #0x20]
        stp     x6, x7, [x30, #0x30]
        stp     x8, x9, [x30, #0x40]
        stp     x10, x11, [x30, #0x50]
        stp     x12, x13, [x30, #0x60]
        stp     x14, x15, [x30, #0x70]
        stp     x16, x17, [x30, #0x80]
        stp     x18, x19, [x30, #0x90]
        stp     x20, x21, [x30, #0xa0]
        stp     x22, x23, [x30, #0xb0]
        stp     x24, x25, [x30, #0xc0]
        stp     x26, x27, [x30, #0xd0]
        stp     x28, x29, [x30, #0xe0]
        mrs     x0, tpidr_el0
        mov     x1, sp
        stp     x0, x1, [x30, #0xf0]    /* x30, sp */
        mrs     x0, nzcv
        mrs     x1, daif
        stp     x0, x1, [x30, #0x100]
        mrs     x0, CurrentEL
        mrs     x1, SPSel
        stp     x0, x1, [x30, #0x110]
        msr     daifset, #0xf
        adr     x1, exception_vectors
        cmp     x0, #(2 << 2)
        b.eq    1f
        mrs     x2, sctlr_el1
        msr     vbar_el1, x1
        b       2f
1:      mrs     x2, sctlr_el2
        msr     vbar_el2, x1
2:      isb
        adr     x0, image_start
        stp     x2, x0, [x30, #0x120]   /* sctlr, load */

        /* Count what the loader left in .bss, then clear it. booting.rst promises no zeroes here;
         * the count tells what the loader did. */
        adrp    x0, bss_start
        add     x0, x0, :lo12:bss_start
        adrp    x1, bss_end
        add     x1, x1, :lo12:bss_end
        mov     x2, #0
3:      ldrb    w3, [x0]
        cmp     w3, #0
        cinc    x2, x2, ne
        strb    wzr, [x0], #1
        cmp     x0, x1
        b.ne    3b
        str     x2, [x30, #0x130]
        msr     SPSel, #1
        adrp    x0, stack_top
        add     x0, x0, :lo12:stack_top
        mov     sp, x0
        bl      probe_main
4:      wfi
        b       4b

        /* 16 vectors of 128 bytes, aligned to 2 KiB: Arm ARM, D1.10.2. x0 = offset / 128. */
        .text
        .balign 2048
exception_vectors:
        .set    vector, 0
        .rept   16
        .balign 128
        mov     x0, #vector
        b       exception
        .set    vector, vector + 1
        .endr
        .balign 128
exception:
        mrs     x4, CurrentEL
        cmp     x4, #(2 << 2)
        b.eq    1f
        mrs     x1, esr_el1
        mrs     x2, elr_el1
        mrs     x3, far_el1
        b       probe_fault
1:      mrs     x1, esr_el2
        mrs     x2, elr_el2
        mrs     x3, far_el2
        b       probe_fault

/* PSCI SYSTEM_OFF. The conduit is hvc below EL2, and smc at EL2. */
        .globl  machine_off
machine_off:
        movz    x0, #0x8400, lsl #16
        movk    x0, #0x0008
        mrs     x1, CurrentEL
        cmp     x1, #(2 << 2)
        b.eq    1f
        hvc     #0
        b       2f
1:      smc     #0
2:      wfi
        b       2b

        .data
        .balign 16
        .globl  saved
saved:  .skip   0x138

        .bss
        .balign 16
        .skip   16384
        .globl  stack_top
stack_top:
        .skip   0x10000                 /* so that stale memory has room to show */
