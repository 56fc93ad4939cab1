/* From 32-bit protected mode without paging to the 64-bit C code; for PVH and for the 32-bit Linux
 * protocol. Included by each guest's own file, because RVA() needs image_start in the same section.
 *
 * On arrival: ebp = where image_start lies at run time; the found ebp, esp and rip are already
 * saved, the protocol noted, and every other register and the arithmetic flags are as found. esp is
 * not usable. */

/* Run-time address of a symbol, through ebp: the image may lie anywhere below 4 GiB. */
#define RVA(symbol) ((symbol) - image_start)
#define SAVED32(field) (RVA(saved) + (field))(%ebp)

#define CR0_PE_PG 0x80000001
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define PAGE_PRESENT_WRITE 0x3
#define PAGE_LARGE_PRESENT_WRITE 0x83
#define PAGE_DIRECTORIES 16 /* 16 GiB where the CPU has no 1 GiB pages */

        .code32
entry32_common:
        movl    %eax, SAVED32(SAVED_RAX)
        movl    %ebx, SAVED32(SAVED_RBX)
        movl    %ecx, SAVED32(SAVED_RCX)
        movl    %edx, SAVED32(SAVED_RDX)
        movl    %esi, SAVED32(SAVED_RSI)
        movl    %edi, SAVED32(SAVED_RDI)
        movl    %cs, %eax
        movl    %eax, SAVED32(SAVED_CS)
        movl    %ds, %eax
        movl    %eax, SAVED32(SAVED_DS)
        movl    %es, %eax
        movl    %eax, SAVED32(SAVED_ES)
        movl    %fs, %eax
        movl    %eax, SAVED32(SAVED_FS)
        movl    %gs, %eax
        movl    %eax, SAVED32(SAVED_GS)
        movl    %ss, %eax
        movl    %eax, SAVED32(SAVED_SS)
        strl    %eax
        movl    %eax, SAVED32(SAVED_TR)
        sldtl   %eax
        movl    %eax, SAVED32(SAVED_LDTR)
        sgdtl   SAVED32(SAVED_GDT_LIMIT)
        sidtl   SAVED32(SAVED_IDT_LIMIT)

        /* PVH leaves ss unspecified (pvh.pandoc: "all other selectors are unspecified"), and pushf
         * needs it: take one from our own GDT. None of this touches the arithmetic flags. */
        leal    RVA(our_gdt)(%ebp), %eax
        movl    %eax, (RVA(our_gdtr) + 2)(%ebp)
        lgdtl   RVA(our_gdtr)(%ebp)
        movl    $OUR_DS, %eax
        movl    %eax, %ss
        leal    RVA(early_stack_top)(%ebp), %esp
        pushfl
        popl    SAVED32(SAVED_RFLAGS)
        cli
        cld

        movl    %cr0, %eax
        movl    %eax, SAVED32(SAVED_CR0)
        movl    %cr2, %eax
        movl    %eax, SAVED32(SAVED_CR2)
        movl    %cr3, %eax
        movl    %eax, SAVED32(SAVED_CR3)
        movl    %cr4, %eax
        movl    %eax, SAVED32(SAVED_CR4)
        movl    $MSR_EFER, %ecx
        rdmsr
        movl    %eax, SAVED32(SAVED_EFER)
        movl    %edx, SAVED32(SAVED_EFER + 4)

        movl    $OUR_DS, %eax
        movl    %eax, %ds
        movl    %eax, %es

        /* Count the bytes that the loader left in .bss, and clear them: as in entry64.S. */
        leal    RVA(bss_start)(%ebp), %edi
        leal    RVA(bss_end)(%ebp), %ecx
        xorl    %edx, %edx
1:      cmpl    $0, (%edi)
        je      3f
        movl    $4, %ebx
2:      cmpb    $1, -1(%edi, %ebx)      /* carry: the byte is 0 */
        sbbl    $-1, %edx
        decl    %ebx
        jnz     2b
        movl    $0, (%edi)
3:      addl    $4, %edi
        cmpl    %ecx, %edi
        jb      1b
        movl    %edx, SAVED32(SAVED_BSS_DIRTY)
        leal    RVA(stack_top)(%ebp), %esp

        /* Identity page tables: 512 GiB of 1 GiB pages if CPUID 0x80000001 EDX bit 26 has them,
         * else 16 GiB of 2 MiB pages. */
        leal    RVA(page_pdpt)(%ebp), %edi
        leal    PAGE_PRESENT_WRITE(%edi), %eax
        movl    %eax, RVA(page_pml4)(%ebp)
        movl    $0x80000001, %eax
        cpuid
        btl     $26, %edx
        jnc     3f

        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $30, %eax
        orl     $PAGE_LARGE_PRESENT_WRITE, %eax
        movl    %eax, (%edi, %ecx, 8)
        movl    %ecx, %eax
        shrl    $2, %eax
        movl    %eax, 4(%edi, %ecx, 8)
        incl    %ecx
        cmpl    $512, %ecx
        jne     1b
        jmp     4f

3:      leal    (RVA(page_directories) + PAGE_PRESENT_WRITE)(%ebp), %eax
        xorl    %ecx, %ecx
1:      movl    %eax, (%edi, %ecx, 8)
        addl    $0x1000, %eax
        incl    %ecx
        cmpl    $PAGE_DIRECTORIES, %ecx
        jne     1b
        leal    RVA(page_directories)(%ebp), %edi
        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $21, %eax
        orl     $PAGE_LARGE_PRESENT_WRITE, %eax
        movl    %eax, (%edi, %ecx, 8)
        movl    %ecx, %eax
        shrl    $11, %eax
        movl    %eax, 4(%edi, %ecx, 8)
        incl    %ecx
        cmpl    $(PAGE_DIRECTORIES * 512), %ecx
        jne     1b

        /* SDM volume 3, 9.8.5: PAE, CR3, EFER.LME, paging, then a far transfer. */
4:      movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        leal    RVA(page_pml4)(%ebp), %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PE_PG, %eax
        movl    %eax, %cr0
        leal    RVA(1f)(%ebp), %eax
        pushl   $OUR_CS
        pushl   %eax
        lretl
        .code64
1:      call    probe_main
        ud2

        .bss
        .balign 4096
page_pml4:        .skip 4096
page_pdpt:        .skip 4096
page_directories: .skip 4096 * PAGE_DIRECTORIES
