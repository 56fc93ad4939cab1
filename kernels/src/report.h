/* What every guest shares: the line format, CRC-32, and bounded reads of text.
 * No libc; each guest supplies uart_put(). */
#ifndef REPORT_H
#define REPORT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64; /* 32 bits in init.i386, which counts nothing that needs more */

/* The longest text reported, and the caps on lists whose length the loader wrote: a wrong count
 * must give a long report, not an endless one. */
#define MAX_TEXT 8192
#define MAX_SETUP_DATA 32
#define MAX_MODULES 32
#define MAX_MEMORY_MAP 256

/* Supplied by each guest. A probe hands the byte to the device at once; init gathers a line. */
void uart_put(char c);

void out_char(char c);
void out_text(const char *text);
void out_hex(u64 value);         /* 0x, lower case, no padding */
void out_hex32(u32 value);       /* 0x%08x, for checksums */
void out_dec(u64 value);
void out_escaped(const u8 *bytes, u64 size);

/* `PROBE <name>=`, then the value by the calls above, then line_end(). */
void line_begin(const char *name);
void line_begin_index(const char *name, u64 index); /* PROBE name[index]= */
void line_end(void);

void line_hex(const char *name, u64 value);
void line_dec(const char *name, u64 value);
void line_text(const char *name, const char *value);

/* For a fault in the middle of a line: starts a fresh one. */
void line_restart(void);

/* `cmdline` and `cmdline.length`. */
void report_cmdline(const u8 *text, u64 max);
/* `initrd.address`, `initrd.size`, `initrd.crc32`; nothing when both are zero. */
void report_initrd(u64 address, u64 size);

u64 text_length(const u8 *text, u64 max);
int text_equal(const char *a, const char *b);

void crc32_init(void);
u32 crc32(const void *bytes, u64 size);
u32 crc32_more(u32 crc, const void *bytes, u64 size); /* continues `crc`; starts from 0 */

#endif
