#include "report.h"

static int at_line_start = 1;

void out_char(char c) {
  at_line_start = c == '\n';
  uart_put(c);
}

void out_text(const char *text) {
  while (*text) out_char(*text++);
}

static void out_digits(u64 value, int digits) {
  out_text("0x");
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out_char("0123456789abcdef"[(value >> shift) & 15]);
}

void out_hex(u64 value) {
  int digits = 1;
  while (digits < 16 && value >> (digits * 4)) digits++;
  out_digits(value, digits);
}

void out_hex32(u32 value) { out_digits(value, 8); }

void out_dec(u64 value) {
  char digits[20];
  int count = 0;
  do digits[count++] = '0' + value % 10;
  while (value /= 10);
  while (count) out_char(digits[--count]);
}

/* The backslash is escaped too: otherwise a literal \x41 and an escaped byte would look alike. */
void out_escaped(const u8 *bytes, u64 size) {
  for (u64 i = 0; i < size; i++) {
    u8 byte = bytes[i];
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      out_char(byte);
    } else {
      out_text("\\x");
      out_char("0123456789abcdef"[byte >> 4]);
      out_char("0123456789abcdef"[byte & 15]);
    }
  }
}

void line_begin(const char *name) {
  out_text("PROBE ");
  out_text(name);
  out_char('=');
}

void line_begin_index(const char *name, u64 index) {
  out_text("PROBE ");
  out_text(name);
  out_char('[');
  out_dec(index);
  out_text("]=");
}

void line_end(void) { out_char('\n'); }

void line_restart(void) {
  if (!at_line_start) out_char('\n');
}

void line_hex(const char *name, u64 value) {
  line_begin(name);
  out_hex(value);
  line_end();
}

void line_dec(const char *name, u64 value) {
  line_begin(name);
  out_dec(value);
  line_end();
}

void line_text(const char *name, const char *value) {
  line_begin(name);
  out_text(value);
  line_end();
}

u64 text_length(const u8 *text, u64 max) {
  u64 length = 0;
  while (length < max && text[length]) length++;
  return length;
}

int text_equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

void report_cmdline(const u8 *text, u64 max) {
  u64 length = text_length(text, max < MAX_TEXT ? max : MAX_TEXT);
  line_begin("cmdline");
  out_escaped(text, length);
  line_end();
  line_dec("cmdline.length", length);
}

/* Address and size are out before the first byte is read: if the read faults, the log says where. */
void report_initrd(u64 address, u64 size) {
  if (!address && !size) return;
  line_hex("initrd.address", address);
  line_hex("initrd.size", size);
  u32 crc = crc32((const void *)address, size);
  line_begin("initrd.crc32");
  out_hex32(crc);
  line_end();
}

/* RFC 1952 section 8: the reflected polynomial 0xedb88320, as in zlib. Made at start-up rather than
 * stored: 1 KiB less in each guest. */
static u32 crc_table[256];

void crc32_init(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    crc_table[i] = c;
  }
}

u32 crc32_more(u32 crc, const void *bytes, u64 size) {
  /* The barrier keeps the compiler from assuming anything about a range at address 0. */
  const u8 *at = bytes;
  __asm__("" : "+r"(at));
  u32 c = ~crc;
  for (; size; size--) c = crc_table[(c ^ *at++) & 255] ^ (c >> 8);
  return ~c;
}

u32 crc32(const void *bytes, u64 size) { return crc32_more(0, bytes, size); }

/* The compiler may call these even in freestanding code. */
void *memset(void *to, int value, u64 size) {
  for (u8 *at = to; size; size--) *at++ = value;
  return to;
}

void *memcpy(void *to, const void *from, u64 size) {
  u8 *at = to;
  for (const u8 *source = from; size; size--) *at++ = *source++;
  return to;
}
