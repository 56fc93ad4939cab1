/* Reports a flattened devicetree: Devicetree Specification 0.4, chapter 5. */
#ifndef FDT_H
#define FDT_H

#include "report.h"

void report_fdt(u64 address);

#endif
