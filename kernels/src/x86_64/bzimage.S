/* probe-bzimage: a bzImage that runs wherever it is loaded. Offsets and values: boot.rst, "The
 * Real-Mode Kernel Header". */
#include "saved.h"

#define BP_SCRATCH 0x1e4        /* bootparam.h: boot_params.scratch, free for the kernel's use */
#define SETUP_SECTS 1

        .section .setup, "ax"
        .code16
setup:
        .org    0x1f1
        .byte   SETUP_SECTS             /* setup_sects */
        .word   1                       /* root_flags: read-only */
        .long   payload_paragraphs      /* syssize */
        .word   0                       /* ram_size */
        .word   0xffff                  /* vid_mode: normal */
        .word   0                       /* root_dev */
        .word   0xaa55                  /* boot_flag */
        .byte   0xeb, header_end - 1f   /* jump; its second byte also tells where the header ends */
1:      .ascii  "HdrS"                  /* header */
        .word   0x020f                  /* version 2.15 */
        .long   0                       /* realmode_swtch */
        .word   0x1000                  /* start_sys_seg: obsolete, Linux's value */
        .word   kernel_version - setup - 0x200
        .byte   0                       /* type_of_loader: the loader's to fill */
        .byte   1                       /* loadflags: LOADED_HIGH */
        .word   0x8000                  /* setup_move_size */
        .long   0x100000                /* code32_start */
        .long   0, 0                    /* ramdisk_image, ramdisk_size */
        .long   0                       /* bootsect_kludge */
        .word   0                       /* heap_end_ptr */
        .byte   0, 0                    /* ext_loader_ver, ext_loader_type */
        .long   0                       /* cmd_line_ptr */
        .long   0x7fffffff              /* initrd_addr_max */
        .long   0x200000                /* kernel_alignment */
        .byte   1                       /* relocatable_kernel */
        .byte   21                      /* min_alignment: 2 MiB */
        .word   0x0003                  /* xloadflags: KERNEL_64, CAN_BE_LOADED_ABOVE_4G */
        .long   2047                    /* cmdline_size */
        .long   0                       /* hardware_subarch */
        .quad   0                       /* hardware_subarch_data */
        .long   0, 0                    /* payload_offset, payload_length: no compressed payload */
        .quad   0                       /* setup_data */
        .quad   0x1000000               /* pref_address */
        .long   init_size               /* init_size */
        .long   0                       /* handover_offset */
        .long   kernel_info_offset      /* kernel_info_offset */
        .org    0x26c                   /* where the header of 2.15 ends; refused if it is longer */
header_end:
        /* The 16-bit entry: not supported, so end the machine instead of running into the data. */
        cli
        xorb    %al, %al
        outb    %al, $0xf4
1:      hlt
        jmp     1b
kernel_version:
        .asciz  "probe-bzimage"
        .org    (SETUP_SECTS + 1) * 512

        .section .head.text, "ax"
        .globl  image_start, kernel_info, entry64, guest_name
        .code32
image_start:
/* The 32-bit entry. boot.rst promises no stack, and without one there is no way to learn eip. Linux
 * (head_64.S, startup_32) borrows boot_params.scratch for a call; so does this, and puts back what
 * was there. Until ebp is known nothing can be stored, so three debug registers hold esp, ebp and
 * the scratch word. (The SDM calls the arithmetic flags undefined after a mov to a debug register;
 * every CPU and emulator at hand leaves them alone, and IF, DF, TF and VM are not concerned.) */
entry32:
        movl    %esp, %dr0
        movl    %ebp, %dr1
        movl    BP_SCRATCH(%esi), %esp
        movl    %esp, %dr2
        leal    (BP_SCRATCH + 4)(%esi), %esp
        call    1f
1:      popl    %ebp
        leal    (image_start - 1b)(%ebp), %ebp
        movl    %dr0, %esp
        movl    %esp, (saved - image_start + SAVED_RSP)(%ebp)
        movl    %dr1, %esp
        movl    %esp, (saved - image_start + SAVED_RBP)(%ebp)
        movl    %dr2, %esp
        movl    %esp, BP_SCRATCH(%esi)
        movl    %ebp, (saved - image_start + SAVED_RIP)(%ebp)
        movl    $PROTOCOL_LINUX32, (saved - image_start + SAVED_PROTOCOL)(%ebp)
        jmp     entry32_common

        /* The 64-bit entry is 0x200 behind the 32-bit one (boot.rst, "64-bit Boot Protocol"). */
        .org    0x200, 0xcc
        .code64
entry64:
        jmp     entry64_common

#include "entry32.S"

        /* boot.rst, "The kernel_info": all fields little endian, size without and with the
         * variable-length part. */
        .section .rodata
        .balign 4
kernel_info:
        .ascii  "LToP"
        .long   kernel_info_end - kernel_info
        .long   kernel_info_end - kernel_info
        .long   0x80000009              /* setup_type_max: SETUP_INDIRECT | SETUP_RNG_SEED */
kernel_info_end:
guest_name:
        .asciz  "probe-bzimage"
