#include "fdt.h"

/* Devicetree Specification 0.4, 5.2 and 5.4 */
#define FDT_MAGIC 0xd00dfeed
#define FDT_HEADER_SIZE 40
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
/* booting.rst: the blob is at most 2 MiB. */
#define FDT_MAX 0x200000
#define MAX_RESERVATIONS 64

static struct {
  const u8 *start;
  u32 size, structure, strings;
} fdt;

/* Every read is bounds-checked: a wrong offset must end the walk, not the machine. */
static int bad;

static u64 big_endian(const u8 *from, u32 size) {
  u64 value = 0;
  while (size--) value = value << 8 | *from++;
  return value;
}

static u32 word(u32 offset) {
  if (offset > fdt.size || fdt.size - offset < 4) {
    bad = 1;
    return 0;
  }
  return big_endian(fdt.start + offset, 4);
}

static const char *string(u32 offset) {
  if (offset < fdt.size &&
      text_length(fdt.start + offset, fdt.size - offset) < fdt.size - offset)
    return (const char *)fdt.start + offset;
  bad = 1;
  return "";
}

static u32 aligned(u32 offset) { return (offset + 3) & ~3u; }

struct property {
  const char *name;
  const u8 *value;
  u32 size;
};

/* Reads the property at *offset and steps over it; false when something else is there. */
static int next_property(u32 *offset, struct property *property) {
  while (!bad && word(*offset) == FDT_NOP) *offset += 4;
  if (bad || word(*offset) != FDT_PROP) return 0;
  property->size = word(*offset + 4);
  property->name = string(fdt.strings + word(*offset + 8));
  u32 value = *offset + 12;
  if (bad || value > fdt.size || fdt.size - value < property->size) {
    bad = 1;
    return 0;
  }
  property->value = fdt.start + value;
  *offset = aligned(value + property->size);
  return 1;
}

/* The property of this name in the node whose properties start at `offset`. */
static int find_property(u32 offset, const char *name, struct property *property) {
  while (next_property(&offset, property))
    if (text_equal(property->name, name)) return 1;
  return 0;
}

static u32 cells(u32 properties, const char *name, u32 otherwise) {
  struct property property;
  return find_property(properties, name, &property) && property.size == 4
             ? big_endian(property.value, 4)
             : otherwise;
}

/* Strings by name; 4 and 8 bytes are a number; the rest is shown byte by byte. */
static void out_property(const struct property *property) {
  if (text_equal(property->name, "bootargs") || text_equal(property->name, "stdout-path") ||
      text_equal(property->name, "linux,stdout-path")) {
    out_escaped(property->value,
                property->size ? text_length(property->value, property->size) : 0);
  } else if (property->size == 4 || property->size == 8) {
    out_hex(big_endian(property->value, property->size));
  } else if (property->size) {
    out_text("0x");
    for (u32 i = 0; i < property->size; i++) {
      out_char("0123456789abcdef"[property->value[i] >> 4]);
      out_char("0123456789abcdef"[property->value[i] & 15]);
    }
  }
}

static u64 initrd_start, initrd_end;
static struct property bootargs;

static void report_chosen(u32 properties) {
  struct property property;
  while (next_property(&properties, &property)) {
    out_text("PROBE chosen.");
    out_text(property.name);
    out_char('=');
    out_property(&property);
    line_end();
    if (text_equal(property.name, "bootargs")) bootargs = property;
    if (text_equal(property.name, "linux,initrd-start") && property.size <= 8)
      initrd_start = big_endian(property.value, property.size);
    if (text_equal(property.name, "linux,initrd-end") && property.size <= 8)
      initrd_end = big_endian(property.value, property.size);
  }
}

static u32 memory_count, reserved_count;

/* One line for each (address, size) pair of reg. */
static void report_memory(u32 properties, u32 address_cells, u32 size_cells) {
  struct property reg;
  u32 pair = (address_cells + size_cells) * 4;
  if (!find_property(properties, "reg", &reg) || !pair) return;
  for (u32 at = 0; at + pair <= reg.size; at += pair) {
    line_begin_index("memory", memory_count++);
    out_hex(big_endian(reg.value + at, address_cells * 4));
    out_char(' ');
    out_hex(big_endian(reg.value + at + address_cells * 4, size_cells * 4));
    line_end();
  }
}

/* A reservation without reg is placed by the kernel; it has a size and no address. */
static void report_reserved(const char *name, u32 properties, u32 address_cells, u32 size_cells) {
  struct property reg, size, no_map;
  u32 pair = (address_cells + size_cells) * 4;
  int placed = find_property(properties, "reg", &reg);
  int sized = find_property(properties, "size", &size);
  int unmapped = find_property(properties, "no-map", &no_map);
  u32 at = 0;
  do {
    if (placed && (!pair || at + pair > reg.size)) break;
    line_begin_index("reserved", reserved_count++);
    out_escaped((const u8 *)name, text_length((const u8 *)name, MAX_TEXT));
    out_char(' ');
    if (placed) out_hex(big_endian(reg.value + at, address_cells * 4));
    else out_char('-');
    out_char(' ');
    if (placed) out_hex(big_endian(reg.value + at + address_cells * 4, size_cells * 4));
    else if (sized) out_hex(big_endian(size.value, size.size));
    else out_char('-');
    out_text(unmapped ? " 1" : " 0");
    line_end();
    at += pair;
  } while (placed);
}

static void report_structure(void) {
  u32 offset = fdt.structure, depth = 0;
  u32 root_address_cells = 2, root_size_cells = 1; /* the specification's defaults, 2.3.5 */
  u32 address_cells = 2, size_cells = 1;
  int in_reserved = 0;
  while (!bad) {
    u32 token = word(offset);
    offset += 4;
    if (token == FDT_BEGIN_NODE) {
      const char *name = string(offset);
      if (bad) break;
      offset = aligned(offset + text_length((const u8 *)name, fdt.size) + 1);
      depth++;
      struct property type;
      if (depth == 1) {
        root_address_cells = cells(offset, "#address-cells", 2);
        root_size_cells = cells(offset, "#size-cells", 1);
      } else if (depth == 2) {
        in_reserved = text_equal(name, "reserved-memory");
        if (text_equal(name, "chosen")) report_chosen(offset);
        if (find_property(offset, "device_type", &type) && type.size == 7 &&
            text_equal((const char *)type.value, "memory"))
          report_memory(offset, root_address_cells, root_size_cells);
        if (in_reserved) {
          address_cells = cells(offset, "#address-cells", 2);
          size_cells = cells(offset, "#size-cells", 1);
        }
      } else if (depth == 3 && in_reserved) {
        report_reserved(name, offset, address_cells, size_cells);
      }
      struct property skipped;
      while (next_property(&offset, &skipped)) {}
    } else if (token == FDT_END_NODE && depth) {
      if (--depth == 0) return;
    } else if (token != FDT_NOP) {
      bad = 1;
    }
  }
}

void report_fdt(u64 address) {
  static const char fields[][18] = {"fdt.magic",       "fdt.totalsize",   "fdt.off_struct",
                                    "fdt.off_strings", "fdt.off_rsvmap",  "fdt.version",
                                    "fdt.last_comp",   "fdt.boot_cpuid",  "fdt.size_strings",
                                    "fdt.size_struct"};
  line_hex("fdt.address", address);
  const u8 *start = (const u8 *)address;
  __asm__("" : "+r"(start));
  for (u32 i = 0; i < FDT_HEADER_SIZE / 4; i++) line_hex(fields[i], big_endian(start + 4 * i, 4));
  u64 size = big_endian(start + 4, 4);
  if (big_endian(start, 4) != FDT_MAGIC || size < FDT_HEADER_SIZE || size > FDT_MAX) {
    line_text("fdt.walk", "refused");
    return;
  }
  line_begin("fdt.crc32");
  out_hex32(crc32(start, size));
  line_end();

  fdt.start = start;
  fdt.size = size;
  fdt.structure = word(8);
  fdt.strings = word(12);
  u32 reservation = word(16);
  for (u32 i = 0; i < MAX_RESERVATIONS && !bad; i++, reservation += 16) {
    u64 base = (u64)word(reservation) << 32 | word(reservation + 4);
    u64 length = (u64)word(reservation + 8) << 32 | word(reservation + 12);
    if (bad || (!base && !length)) break;
    line_begin_index("rsvmap", i);
    out_hex(base);
    out_char(' ');
    out_hex(length);
    line_end();
  }
  report_structure();
  line_text("fdt.walk", bad ? "broken" : "complete");
  if (bootargs.value) report_cmdline(bootargs.value, bootargs.size);
  report_initrd(initrd_start, initrd_end - initrd_start);
}
