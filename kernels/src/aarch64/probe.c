/* Reports what the loader handed over: the CPU, then the device tree. Runs with the MMU off, where
 * all memory is Device-nGnRnE: every access must be aligned (built with -mstrict-align). */
#include "../fdt.h"
#include "../image.h"

struct saved {
  u64 x[31], sp;
  u64 nzcv, daif, currentel, spsel, sctlr, load;
  u64 bss_dirty;
};

extern const struct saved saved;
void __attribute__((noreturn)) machine_off(void);

_Static_assert(__builtin_offsetof(struct saved, bss_dirty) == 0x130, "as stored by entry.S");

/* PL011 at the address of QEMU's virt machine. */
#define UART 0x09000000ul
#define UARTDR 0x00
#define UARTFR 0x18
#define UARTCR 0x30
#define FR_BUSY (1 << 3)
#define FR_TX_FULL (1 << 5)
#define CR_ENABLE_TX 0x101

static volatile u32 *uart(u64 offset) { return (volatile u32 *)(UART + offset); }

void uart_put(char c) {
  while (*uart(UARTFR) & FR_TX_FULL) {}
  *uart(UARTDR) = (u8)c;
}

static void __attribute__((noreturn)) machine_end(void) {
  while (*uart(UARTFR) & FR_BUSY) {}
  machine_off();
}

/* vector: the index in the vector table, 4..7 being the current EL with SP_ELx. */
void __attribute__((noreturn)) probe_fault(u64 vector, u64 esr, u64 elr, u64 far) {
  line_restart();
  line_begin("fault");
  out_dec(vector);
  out_text(" esr=");
  out_hex(esr);
  out_text(" pc=");
  out_hex(elr);
  out_text(" far=");
  out_hex(far);
  line_end();
  machine_end();
}

static void report_cpu(void) {
  for (int i = 0; i < 31; i++) {
    out_text("PROBE x");
    out_dec(i);
    out_char('=');
    out_hex(saved.x[i]);
    line_end();
  }
  line_hex("sp", saved.sp);
  line_hex("pc", saved.load); /* the entry is the first byte of the image */
  line_hex("currentel", saved.currentel >> 2);
  line_hex("daif", saved.daif);
  /* As SPSR_ELx would hold it, and as a VMM sets it. */
  line_hex("pstate", saved.nzcv | saved.daif | saved.currentel | saved.spsel);
  line_hex("sctlr", saved.sctlr);
  line_dec("sctlr.m", saved.sctlr & 1);
  line_dec("sctlr.c", saved.sctlr >> 2 & 1);
  line_dec("sctlr.i", saved.sctlr >> 12 & 1);
}

void __attribute__((noreturn)) probe_main(void) {
  *uart(UARTCR) = CR_ENABLE_TX;
  crc32_init();
  line_text("begin", "probe-image");
  line_text("protocol", "arm64");
  report_cpu();
  report_image(saved.bss_dirty);
  report_fdt(saved.x[0]);
  line_dec("end", 1);
  machine_end();
}
