/* Reports what the loader handed over: the hart, then the device tree. Runs in supervisor mode with
 * translation off. */
#include "../fdt.h"
#include "../image.h"

struct saved {
  u64 x[32]; /* x[0] is not stored */
  u64 satp, sstatus, sie;
  u64 bss_dirty;
};

extern const struct saved saved;
extern const char image_start[];

_Static_assert(__builtin_offsetof(struct saved, bss_dirty) == 0x118, "as stored by entry.S");

/* The 16550 and the SiFive test device at the addresses of QEMU's virt machine. */
#define UART 0x10000000ul
#define UART_THR 0
#define UART_LSR 5
#define LSR_THR_EMPTY (1 << 5)
#define LSR_EMPTY (1 << 6)
#define TEST 0x100000ul
#define TEST_PASS 0x5555
#define TEST_FAIL 0x3333 /* the exit code is in the upper half */

#define SSTATUS_SIE (1 << 1)
#define A1 11

static volatile u8 *uart(u64 offset) { return (volatile u8 *)(UART + offset); }

void uart_put(char c) {
  while (!(*uart(UART_LSR) & LSR_THR_EMPTY)) {}
  *uart(UART_THR) = (u8)c;
}

static void __attribute__((noreturn)) machine_end(u32 finish) {
  while (!(*uart(UART_LSR) & LSR_EMPTY)) {}
  *(volatile u32 *)TEST = finish;
  for (;;) __asm__ volatile("wfi");
}

void __attribute__((noreturn)) probe_fault(u64 cause, u64 pc, u64 value) {
  line_restart();
  line_begin("fault");
  out_dec(cause);
  out_text(" pc=");
  out_hex(pc);
  out_text(" stval=");
  out_hex(value);
  line_end();
  machine_end(TEST_FAIL | 1 << 16);
}

static void report_cpu(void) {
  static const char names[][4] = {"ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0", "a1",
                                  "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5", "s6",
                                  "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  for (int i = 1; i < 32; i++) line_hex(names[i - 1], saved.x[i]);
  line_hex("pc", (u64)image_start); /* the entry is the first byte of the image */
  line_hex("satp", saved.satp);
  line_hex("sstatus", saved.sstatus);
  line_dec("sstatus.sie", (saved.sstatus & SSTATUS_SIE) != 0);
  line_hex("sie", saved.sie);
}

void __attribute__((noreturn)) probe_main(void) {
  crc32_init();
  line_text("begin", "probe-image");
  line_text("protocol", "riscv64");
  report_cpu();
  report_image(saved.bss_dirty);
  report_fdt(saved.x[A1]);
  line_dec("end", 1);
  machine_end(TEST_PASS);
}
