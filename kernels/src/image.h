/* Reports a flat Image as it lies in memory. */
#ifndef IMAGE_H
#define IMAGE_H

#include "report.h"

void report_image(u64 bss_dirty);

#endif
