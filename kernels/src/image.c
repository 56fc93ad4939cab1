#include "image.h"

/* image.ld */
extern const char image_start[], data_start[];
extern char bss_start[], bss_end[];

/* .data is left out of the checksum: the entry has stored the registers there. */
void report_image(u64 bss_dirty) {
  line_hex("load", (u64)image_start);
  line_hex("text.size", data_start - image_start);
  line_begin("text.crc32");
  out_hex32(crc32(image_start, data_start - image_start));
  line_end();
  line_hex("bss.start", (u64)bss_start);
  line_hex("bss.size", bss_end - bss_start);
  line_dec("bss.dirty", bss_dirty);
}
