/* Reports what the loader handed over: the CPU, then the structures of the protocol in use. */
#include "saved.h"

extern struct saved saved;
extern const char guest_name[];
extern char image_start[], bss_start[], bss_end[], exception_stubs[];
extern const u64 our_gdt[];
extern struct table_register our_gdtr;
void use_gdt(const struct table_register *);

/* Addresses go through this: the compiler must assume nothing about address 0, nor keep a pointer
 * as initialised data, which would need a relocation. */
static const u8 *at(u64 address) {
  __asm__("" : "+r"(address));
  return (const u8 *)address;
}

/* Little endian, of any alignment. */
static u64 read(const u8 *from, int size) {
  u64 value = 0;
  for (int i = 0; i < size; i++) value |= (u64)from[i] << (8 * i);
  return value;
}

static void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/* ---- serial port: 16550 at COM1 ---- */

#define COM1 0x3f8
#define LSR (COM1 + 5)
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE 0x40

/* A small monitor may not model the line status: then it never says ready, and waiting would hang.
 * So the first wait is bounded; once the bit was seen, waiting has no limit. */
static enum { UNKNOWN, PRESENT, ABSENT } line_status;

static void uart_wait(u8 bit) {
  if (line_status == ABSENT) return;
  for (u32 polls = 0; !(in8(LSR) & bit); polls++) {
    if (line_status == UNKNOWN && polls == 10000) {
      line_status = ABSENT;
      return;
    }
    __asm__ volatile("pause");
  }
  line_status = PRESENT;
}

static void uart_init(void) {
  out8(COM1 + 1, 0);    /* no interrupts */
  out8(COM1 + 3, 0x80); /* divisor 1: 115200 baud */
  out8(COM1 + 0, 1);
  out8(COM1 + 1, 0);
  out8(COM1 + 3, 3); /* 8n1 */
}

void uart_put(char c) {
  uart_wait(LSR_THR_EMPTY);
  out8(COM1, c);
}

/* ---- the end ---- */

static void __attribute__((noreturn)) machine_end(void) {
  static const struct table_register no_idt;
  uart_wait(LSR_IDLE);
  out8(0xf4, 0); /* isa-debug-exit */
  __asm__ volatile("lidt %0; ud2" : : "m"(no_idt)); /* no handler for #UD, nor for the rest */
  for (;;) __asm__ volatile("hlt");
}

void __attribute__((noreturn)) probe_fault(u64 vector, u64 error, u64 rip, u64 cr2) {
  line_restart();
  line_begin("fault");
  out_dec(vector);
  out_text(" error=");
  out_hex(error);
  out_text(" rip=");
  out_hex(rip);
  out_text(" cr2=");
  out_hex(cr2);
  line_end();
  machine_end();
}

static void catch_faults(void) {
  static struct __attribute__((packed)) {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_middle;
    u32 offset_high, reserved;
  } idt[32];
  for (int i = 0; i < 32; i++) {
    u64 stub = (u64)exception_stubs + 16 * i;
    idt[i].offset_low = stub;
    idt[i].offset_middle = stub >> 16;
    idt[i].offset_high = stub >> 32;
    idt[i].selector = OUR_CS;
    idt[i].type = 0x8e; /* present, 64-bit interrupt gate: SDM volume 3, figure 6-8 */
  }
  struct table_register idtr = {.limit = sizeof idt - 1, .base = (u64)at((u64)idt)};
  our_gdtr.base = (u64)our_gdt;
  use_gdt(&our_gdtr);
  __asm__ volatile("lidt %0" : : "m"(idtr));
}

/* ---- CPU ---- */

static const char selector_names[SELECTORS][5] = {"cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr"};

static void line_dotted(const char *name, const char *part) {
  out_text("PROBE ");
  out_text(name);
  out_char('.');
  out_text(part);
  out_char('=');
}

/* A descriptor of the GDT the loader left, SDM volume 3, figure 3-8. LAR and LSL would give the same
 * two values, but emulators exist that lack them, and long mode calls a 32-bit TSS invalid. */
static const u8 *descriptor(u64 selector) { return at(saved.gdt.base + (selector & ~7ul)); }

static int in_gdt(u64 selector) { return !(selector & 4) && (selector | 7) <= saved.gdt.limit; }

/* A system descriptor is 16 bytes in long mode: SDM volume 3, figure 7-4. */
static u64 segment_base(u64 selector) {
  const u8 *bytes = descriptor(selector);
  u64 base = read(bytes + 2, 3) | (u64)bytes[7] << 24;
  int system = !(bytes[5] & 0x10);
  if (system && saved.protocol == PROTOCOL_LINUX64 && (selector | 7) + 8 <= saved.gdt.limit)
    base |= read(bytes + 8, 4) << 32;
  return base;
}

/* As LSL: in bytes, inclusive. */
static u32 segment_limit(u64 selector) {
  const u8 *bytes = descriptor(selector);
  u32 limit = read(bytes, 2) | (bytes[6] & 15u) << 16;
  return bytes[6] & 0x80 ? limit << 12 | 0xfff : limit;
}

/* As LAR >> 8: type, S, DPL, P in the low byte; AVL, L, D/B, G in bits 12 to 15. */
static u32 segment_rights(u64 selector) {
  const u8 *bytes = descriptor(selector);
  return bytes[5] | (bytes[6] & 0xf0u) << 8;
}

static void report_cpu(void) {
  static const char gpr_names[16][4] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
  int gprs = saved.protocol == PROTOCOL_LINUX64 ? 16 : 8; /* r8..r15 cannot be seen in 32-bit mode */
  for (int i = 0; i < gprs; i++) line_hex(gpr_names[i], saved.gpr[i]);
  line_hex("rip", saved.rip);
  line_hex("rflags", saved.rflags);
  line_hex("cr0", saved.cr0);
  line_hex("cr2", saved.cr2);
  line_hex("cr3", saved.cr3);
  line_hex("cr4", saved.cr4);
  line_hex("efer", saved.efer);
  for (int i = 0; i < SELECTORS; i++) line_hex(selector_names[i], saved.selector[i]);
  line_hex("gdt.base", saved.gdt.base);
  line_hex("gdt.limit", saved.gdt.limit);
  line_hex("idt.base", saved.idt.base);
  line_hex("idt.limit", saved.idt.limit);
  line_hex("load", (u64)image_start);
  line_hex("bss.start", (u64)bss_start);
  line_hex("bss.size", bss_end - bss_start);
  line_dec("bss.dirty", saved.bss_dirty);
}

static void report_segments(void) {
  for (int i = 0; i < SELECTORS; i++) {
    u64 selector = saved.selector[i];
    if (selector <= 3) continue; /* null, whatever its privilege level */
    if (!in_gdt(selector)) {
      line_dotted(selector_names[i], "rights");
      out_text("invalid");
      line_end();
      continue;
    }
    u64 base = segment_base(selector);
    line_dotted(selector_names[i], "base");
    out_hex(base);
    line_end();
    line_dotted(selector_names[i], "limit");
    out_hex(segment_limit(selector));
    line_end();
    line_dotted(selector_names[i], "rights");
    out_hex(segment_rights(selector));
    line_end();
  }
}

/* ---- Linux boot protocol: boot.rst, "The Real-Mode Kernel Header"; zero-page.rst ---- */

struct field {
  u16 offset;
  u8 size;
  char name[22];
};

static const struct field header_fields[] = {
    {0x1f1, 1, "setup_sects"},
    {0x1f2, 2, "root_flags"},
    {0x1f4, 4, "syssize"},
    {0x1f8, 2, "ram_size"},
    {0x1fa, 2, "vid_mode"},
    {0x1fc, 2, "root_dev"},
    {0x1fe, 2, "boot_flag"},
    {0x200, 2, "jump"},
    {0x202, 4, "header"},
    {0x206, 2, "version"},
    {0x208, 4, "realmode_swtch"},
    {0x20c, 2, "start_sys_seg"},
    {0x20e, 2, "kernel_version"},
    {0x210, 1, "type_of_loader"},
    {0x211, 1, "loadflags"},
    {0x212, 2, "setup_move_size"},
    {0x214, 4, "code32_start"},
    {0x218, 4, "ramdisk_image"},
    {0x21c, 4, "ramdisk_size"},
    {0x220, 4, "bootsect_kludge"},
    {0x224, 2, "heap_end_ptr"},
    {0x226, 1, "ext_loader_ver"},
    {0x227, 1, "ext_loader_type"},
    {0x228, 4, "cmd_line_ptr"},
    {0x22c, 4, "initrd_addr_max"},
    {0x230, 4, "kernel_alignment"},
    {0x234, 1, "relocatable_kernel"},
    {0x235, 1, "min_alignment"},
    {0x236, 2, "xloadflags"},
    {0x238, 4, "cmdline_size"},
    {0x23c, 4, "hardware_subarch"},
    {0x240, 8, "hardware_subarch_data"},
    {0x248, 4, "payload_offset"},
    {0x24c, 4, "payload_length"},
    {0x250, 8, "setup_data"},
    {0x258, 8, "pref_address"},
    {0x260, 4, "init_size"},
    {0x264, 4, "handover_offset"},
    {0x268, 4, "kernel_info_offset"},
};

static const struct field zero_page_fields[] = {
    {0x1ef, 1, "sentinel"},         {0x0c0, 4, "ext_ramdisk_image"}, {0x0c4, 4, "ext_ramdisk_size"},
    {0x0c8, 4, "ext_cmd_line_ptr"}, {0x070, 8, "acpi_rsdp_addr"},    {0x1e8, 1, "e820_entries"},
};

#define E820_TABLE 0x2d0
#define E820_MAX 128

static void line_crc32(u64 address, u64 size) {
  out_hex32(crc32(at(address), size));
  line_end();
}

/* bootparam.h: the data of such a setup_data is a struct setup_indirect, which says where they are. */
#define SETUP_INDIRECT 0x80000000u

static void report_setup_indirect(int index, u64 node) {
  u64 size = read(at(node + 8), 8), address = read(at(node + 16), 8);
  line_begin_index("setup_indirect", index);
  out_hex(address);
  out_char(' ');
  out_hex(read(at(node), 4));
  out_char(' ');
  out_hex(size);
  out_char(' ');
  line_crc32(address, size);
}

/* The last byte of what must be mapped: read, written and put back. */
static void report_reach(const char *name, u64 start, u64 size) {
  if (!size) return;
  volatile u8 *last = (volatile u8 *)at(start + size - 1);
  u8 value = *last;
  *last = ~value;
  u8 written = *last;
  *last = value;
  line_dotted("reach", name);
  if (written == (u8)~value) out_hex((u64)last);
  else out_text("read-only");
  line_end();
}

static void report_linux(void) {
  const u8 *page = at(saved.gpr[SAVED_RSI / 8]);
  line_hex("zero_page", (u64)page);
  line_begin("zero_page.crc32");
  line_crc32((u64)page, 4096);
  for (u32 i = 0; i < sizeof zero_page_fields / sizeof *zero_page_fields; i++) {
    const struct field *field = &zero_page_fields[i];
    line_hex(field->name, read(page + field->offset, field->size));
  }
  line_hex("hdr.length", page[0x201]);
  for (u32 i = 0; i < sizeof header_fields / sizeof *header_fields; i++) {
    const struct field *field = &header_fields[i];
    line_dotted("hdr", field->name);
    out_hex(read(page + field->offset, field->size));
    line_end();
  }

  for (int i = 0; i < page[0x1e8] && i < E820_MAX; i++) {
    const u8 *entry = page + E820_TABLE + 20 * i;
    line_begin_index("e820", i);
    out_hex(read(entry, 8));
    out_char(' ');
    out_hex(read(entry + 8, 8));
    out_char(' ');
    out_hex(read(entry + 16, 4));
    line_end();
  }

  u64 node = read(page + 0x250, 8);
  for (int i = 0; node && i < MAX_SETUP_DATA; i++) {
    u64 size = read(at(node + 12), 4);
    line_begin_index("setup_data", i);
    out_hex(node);
    out_char(' ');
    out_hex(read(at(node + 8), 4));
    out_char(' ');
    out_hex(size);
    out_char(' ');
    line_crc32(node + 16, size);
    if (read(at(node + 8), 4) == SETUP_INDIRECT) report_setup_indirect(i, node + 16);
    node = read(at(node), 8);
  }

  u64 cmdline = read(page + 0x228, 4) | read(page + 0x0c8, 4) << 32;
  if (cmdline) report_cmdline(at(cmdline), MAX_TEXT);
  u64 initrd = read(page + 0x218, 4) | read(page + 0x0c0, 4) << 32;
  u64 initrd_size = read(page + 0x21c, 4) | read(page + 0x0c4, 4) << 32;
  report_initrd(initrd, initrd_size);

  u64 init_size = read(page + 0x260, 4);
  u64 image = (u64)image_start;
  report_reach("kernel", image, init_size ? init_size : (u64)bss_end - image);
  report_reach("zero_page", (u64)page, 4096);
  if (cmdline) report_reach("cmdline", cmdline, text_length(at(cmdline), MAX_TEXT) + 1);
  report_reach("initrd", initrd, initrd_size);
}

/* ---- PVH: Xen public/arch-x86/hvm/start_info.h ---- */

static const struct field start_info_fields[] = {
    {0x00, 4, "magic"},         {0x04, 4, "version"},      {0x08, 4, "flags"},
    {0x0c, 4, "nr_modules"},    {0x10, 8, "modlist_paddr"}, {0x18, 8, "cmdline_paddr"},
    {0x20, 8, "rsdp_paddr"},    {0x28, 8, "memmap_paddr"},  {0x30, 4, "memmap_entries"},
};

static void report_pvh(void) {
  const u8 *info = at(saved.gpr[SAVED_RBX / 8]);
  line_hex("start_info", (u64)info);
  u64 version = read(info + 4, 4);
  for (u32 i = 0; i < sizeof start_info_fields / sizeof *start_info_fields; i++) {
    const struct field *field = &start_info_fields[i];
    if (version == 0 && field->offset >= 0x28) break; /* the memory map came with version 1 */
    line_hex(field->name, read(info + field->offset, field->size));
  }

  if (version > 0) {
    const u8 *map = at(read(info + 0x28, 8));
    for (u64 i = 0; i < read(info + 0x30, 4) && i < MAX_MEMORY_MAP; i++) {
      line_begin_index("memmap", i);
      out_hex(read(map + 24 * i, 8));
      out_char(' ');
      out_hex(read(map + 24 * i + 8, 8));
      out_char(' ');
      out_hex(read(map + 24 * i + 16, 4));
      line_end();
    }
  }

  u64 modules = read(info + 0x0c, 4);
  const u8 *list = at(read(info + 0x10, 8));
  for (u64 i = 0; i < modules && i < MAX_MODULES; i++) {
    const u8 *module = list + 32 * i;
    u64 address = read(module, 8), size = read(module + 8, 8), text = read(module + 16, 8);
    line_begin_index("module", i);
    out_hex(address);
    out_char(' ');
    out_hex(size);
    out_char(' ');
    out_hex(text);
    out_char(' ');
    line_crc32(address, size);
    if (text) {
      out_text("PROBE module[");
      out_dec(i);
      out_text("].cmdline=");
      out_escaped(at(text), text_length(at(text), MAX_TEXT));
      line_end();
    }
  }

  u64 cmdline = read(info + 0x18, 8);
  if (cmdline) report_cmdline(at(cmdline), MAX_TEXT);
  if (modules) report_initrd(read(list, 8), read(list + 8, 8));
}

void __attribute__((noreturn)) probe_main(void) {
  static const char protocols[][8] = {"linux64", "linux32", "pvh"};
  uart_init();
  crc32_init();
  line_text("begin", guest_name);
  line_text("protocol", protocols[saved.protocol]);
  catch_faults();
  report_cpu();
  report_segments();
  if (saved.protocol == PROTOCOL_PVH) report_pvh();
  else report_linux();
  line_dec("end", 1);
  machine_end();
}
