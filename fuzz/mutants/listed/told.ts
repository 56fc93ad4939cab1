/** More faults of what a guest is told, and of what a caller may ask for. */
import type { ListedFault } from "./fault.ts";

const MAP = "src/params/memory_map.ts";
const ZERO_PAGE = "src/params/zero_page.ts";
const START_INFO = "src/params/start_info.ts";
const CMDLINE = "src/params/cmdline.ts";
const RULES = "src/params/cmdline_rules.ts";
const BOOT_PARAMS = "src/params/boot_params.ts";
const CHECKS = "src/params/option_checks.ts";
const LIMITS = "src/limits.ts";
const PLAN = "src/protocols/plan.ts";
const BOOT = "src/boot.ts";

export const TOLD: readonly ListedFault[] = [
  {
    id: "map-type-persistent",
    what: "persistent memory has another type",
    file: MAP,
    find: "  persistent: 7,\n",
    replace: "  persistent: 6,\n",
  },
  {
    id: "map-type-swapped",
    what: "NVS and unusable memory have changed places",
    file: MAP,
    find: "  nvs: 4,\n  unusable: 5,\n",
    replace: "  nvs: 5,\n  unusable: 4,\n",
  },
  {
    id: "map-type-lost",
    what: "what a reservation is said to be is not looked at",
    file: MAP,
    find:
      'disjointPieces(reservations).map(({ start, size, type = "reserved" }) => ({\n    start,\n    size,\n    type,\n  }));',
    replace:
      'disjointPieces(reservations).map(({ start, size }) => ({\n    start,\n    size,\n    type: "reserved" as const,\n  }));',
  },
  {
    id: "map-extra-usable",
    what: "a caller's entry may be usable memory where no RAM is",
    file: MAP,
    find: 'entry.size > 0n && entry.type !== "usable" && Object',
    replace: "entry.size > 0n && Object",
  },
  {
    id: "map-extra-empty",
    what: "a caller's entry may be empty",
    file: MAP,
    find: '!inRam && entry.size > 0n && entry.type !== "usable"',
    replace: '!inRam && entry.type !== "usable"',
  },
  {
    id: "map-extra-type",
    what: "a caller's entry may have any type",
    file: MAP,
    find: "&& Object.hasOwn(E820_TYPE, entry.type)\n    ) continue;",
    replace: "\n    ) continue;",
  },
  {
    id: "map-extra-over-start",
    what: "a caller's entry may end in RAM that starts inside it",
    file: MAP,
    find: "ram[indexAtOrBelow(ram, end - 1n)]",
    replace: "ram[indexAtOrBelow(ram, end - entry.size)]",
  },
  {
    id: "map-reservation-type",
    what: "a reservation may be usable memory",
    file: MAP,
    find: '      (range.type as MemoryType | undefined) === "usable" ||\n',
    replace: "",
  },
  {
    id: "map-reservation-any-type",
    what: "a reservation may have any type",
    file: MAP,
    find: '!Object.hasOwn(E820_TYPE, range.type ?? "reserved")',
    replace: 'range.type === "constructor"',
  },
  {
    id: "map-limit",
    what: "the memory map has no limit",
    file: MAP,
    find: "if (map.length > MAX_MEMORY_MAP_ENTRIES) {",
    replace: "if (map.length < 0) {",
  },
  {
    id: "e820-table-short",
    what: "the zero page has room for 127 entries",
    file: LIMITS,
    find: "export const MAX_E820_ZERO_PAGE = 128;",
    replace: "export const MAX_E820_ZERO_PAGE = 127;",
  },
  {
    id: "e820-table-long",
    what: "a 129th entry lies over what follows the table",
    file: LIMITS,
    find: "export const MAX_E820_ZERO_PAGE = 128;",
    replace: "export const MAX_E820_ZERO_PAGE = 129;",
  },
  {
    id: "e820-overflow-lost",
    what: "entries past the 128th are lost",
    file: ZERO_PAGE,
    find: "return rest.length === 0 ? [] :",
    replace: "return rest.length < 128 ? [] :",
  },
  {
    id: "e820-overflow-type",
    what: "entries past the 128th are said to be something else",
    file: ZERO_PAGE,
    find: "{ type: SETUP_E820_EXT, data: encodeE820(rest) }",
    replace: "{ type: SETUP_E820_EXT + 1, data: encodeE820(rest) }",
  },
  {
    id: "e820-overflow-skips",
    what: "the 129th entry is in neither table",
    file: ZERO_PAGE,
    find: "const rest = memoryMap.slice(MAX_E820_ZERO_PAGE);",
    replace: "const rest = memoryMap.slice(MAX_E820_ZERO_PAGE + 1);",
  },
  {
    id: "zero-page-initrd-size-high",
    what: "an initrd of more than 4 GiB loses its size's high half",
    file: ZERO_PAGE,
    find: "ext_ramdisk_size: high32(initrd.size),",
    replace: "ext_ramdisk_size: 0,",
  },
  {
    id: "zero-page-code32-start",
    what: "code32_start stays as it is in the file",
    file: ZERO_PAGE,
    find: "    code32_start: low32(input.kernel),\n",
    replace: "",
  },
  {
    id: "zero-page-rsdp",
    what: "the RSDP's address loses its high half",
    file: ZERO_PAGE,
    find: "acpi_rsdp_addr: input.rsdp ?? 0n,",
    replace: "acpi_rsdp_addr: (input.rsdp ?? 0n) & 0xffffffffn,",
  },
  {
    id: "zero-page-header-cut",
    what: "the header's last bytes do not reach the zero page",
    file: ZERO_PAGE,
    find: "page.set(input.headerBytes, SETUP_HEADER_OFFSET);",
    replace: "page.set(input.headerBytes.subarray(0, 119), SETUP_HEADER_OFFSET);",
  },
  {
    id: "setup-data-len",
    what: "a setup_data's len counts its padding",
    file: ZERO_PAGE,
    find: "{ next, type, len: data.length }, at)",
    replace: "{ next, type, len: Number(nodeSize(data)) - SETUP_DATA.size }, at)",
  },
  {
    id: "start-info-memmap-type",
    what: "all memory of a PVH guest is usable",
    file: START_INFO,
    find: "type: E820_TYPE[entry.type],",
    replace: "type: E820_TYPE.usable,",
  },
  {
    id: "start-info-module-size",
    what: "a module's size loses its high half",
    file: START_INFO,
    find: "size: module.size,",
    replace: "size: module.size & 0xffffffffn,",
  },
  {
    id: "cmdline-limit-riscv64",
    what: "a riscv64 kernel is thought to take 2,047 bytes",
    file: RULES,
    find: "riscv64: { maxLength: 1023,",
    replace: "riscv64: { maxLength: 2047,",
  },
  {
    id: "cmdline-limit-arm64",
    what: "off by one: an arm64 kernel is thought to take 2,048 bytes",
    file: RULES,
    find: "aarch64: { maxLength: 2047,",
    replace: "aarch64: { maxLength: 2048,",
  },
  {
    id: "cmdline-limit-x86",
    what: "off by one: a vmlinux is thought to take 2,048 bytes",
    file: RULES,
    find: "x86_64: { maxLength: 2047,",
    replace: "x86_64: { maxLength: 2048,",
  },
  {
    id: "cmdline-init-only",
    what: "arguments for init alone are written",
    file: CMDLINE,
    find: 'if (this.#boot === "" && this.#init !== "") {',
    replace: 'if (this.#boot === "" && this.#init.length > 512) {',
  },
  {
    id: "cmdline-utf8-size",
    what: "a line that is parsed counts its characters, not its bytes",
    file: CMDLINE,
    find: "cmdline.#size = new TextEncoder().encode(cmdline.toString()).length;",
    replace: "cmdline.#size = cmdline.toString().length;",
  },
  {
    id: "cmdline-multiple-first",
    what: "only the first of several values is checked",
    file: CMDLINE,
    find: "for (const [i, value] of values.entries()) requireValue(",
    replace: "for (const [i, value] of values.slice(0, 1).entries()) requireValue(",
  },
  {
    id: "cmdline-changed-first",
    what: "an insertion that is refused has changed the line",
    file: CMDLINE,
    find:
      "    this.#size = this.#grow(space.length + text.length, field);\n    this.#boot += space + text;\n",
    replace:
      "    this.#boot += space + text;\n    this.#size = this.#grow(space.length + text.length, field);\n",
  },
  {
    id: "cmdline-trim-white",
    what: "white space is what JavaScript takes for it",
    file: RULES,
    find: "[\\t-\\r \\u0085\\u00a0",
    replace: "[\\t-\\r \\ufeff\\u00a0",
  },
  {
    id: "boot-params-wraps",
    what: "an element may pass 2^64",
    file: BOOT_PARAMS,
    find: "  if (end > ADDRESS_END) {",
    replace: "  if (end > ADDRESS_END << 8n) {",
  },
  {
    id: "boot-params-limit-exact",
    what: "off by one: a list may not be as long as its limit",
    file: BOOT_PARAMS,
    find: "if (end - start > BigInt(MAX_BOOT_PARAMS_LIST)) {",
    replace: "if (end - start >= BigInt(MAX_BOOT_PARAMS_LIST)) {",
  },
  {
    id: "boot-params-set-unchecked",
    what: "a list may be set to an address of more than 64 bits",
    file: BOOT_PARAMS,
    find: 'const start = requireAddress(args[args.length - 1] as bigint, "sectionsStart");',
    replace: "const start = args[args.length - 1] as bigint;",
  },
  {
    id: "boot-params-set-early",
    what: "a list that cannot be set is set without its address",
    file: BOOT_PARAMS,
    find: '    const start = requireAddress(args[args.length - 1] as bigint, "modulesStart");\n',
    replace: "    if (args.length === 2) this.modules = args[0];\n" +
      '    const start = requireAddress(args[args.length - 1] as bigint, "modulesStart");\n',
  },
  {
    id: "boot-params-shared",
    what: "adding an element writes into the bytes that the caller had set",
    file: BOOT_PARAMS,
    find:
      "  const bytes = new Uint8Array(Math.max(old.length, Number(end - start)));\n  bytes.set(old);\n",
    replace: "  const fits = old.length >= Number(end - start);\n" +
      "  const bytes = fits ? old : new Uint8Array(Number(end - start));\n  bytes.set(old);\n",
  },
  {
    id: "boot-params-gap-dirty",
    what: "an element that is added later moves those before it",
    file: BOOT_PARAMS,
    find: "const start = list.start ?? address;",
    replace: "const start = address ?? list.start;",
  },
  {
    id: "plan-items-exact",
    what: "off by one: a list of exactly as many items as may be is refused",
    file: CHECKS,
    find: "if (value.length > MAX_CALLER_ITEMS) {",
    replace: "if (value.length >= MAX_CALLER_ITEMS) {",
  },
  {
    id: "plan-uint32",
    what: "a setup_data's type may be of more than 32 bits",
    file: CHECKS,
    find: "  requireInteger(value as number, 0, 0xffffffff, name);\n",
    replace: "",
  },
  {
    id: "plan-rsdp-unchecked",
    what: "the RSDP's address may be negative or past 2^64",
    file: PLAN,
    find: "  rsdp: is.address,\n",
    replace: "  rsdp: is.bigint,\n",
  },
  {
    id: "plan-hartid-unchecked",
    what: "a hart's id may be of more than 64 bits",
    file: PLAN,
    find: "  hartid: is.address,\n",
    replace: "  hartid: is.bigint,\n",
  },
  {
    id: "plan-kaslr-unchecked",
    what: "a seed may be of more than 64 bits",
    file: PLAN,
    find: "kaslr: is.optional(is.address)",
    replace: "kaslr: is.optional(is.bigint)",
  },
  {
    id: "plan-unknown-option",
    what: "an option of a name that there is not is ignored",
    file: PLAN,
    find: "    if (!Object.hasOwn(OPTIONS, name)) {\n",
    replace: '    if (!Object.hasOwn(OPTIONS, name)) continue;\n    if (name === "") {\n',
  },
  {
    id: "plan-placement-unchecked",
    what: "any initrdPlacement is taken",
    file: PLAN,
    find: 'if (initrdPlacement !== undefined && !["low", "high"].includes(initrdPlacement)) {',
    replace: 'if ((initrdPlacement as string) === "") {',
  },
  {
    id: "plan-cmdline-max",
    what: "the caller's own limit of the command line may be any number",
    file: PLAN,
    find: "|| own > MAX_CMDLINE_SIZE) {",
    replace: ") {",
  },
  {
    id: "plan-cmdline-fraction",
    what: "the caller's own limit of the command line may be a fraction, or no number",
    file: PLAN,
    find: "if (!Number.isInteger(own) || own < 0",
    replace: "if (own < 0",
  },
  {
    id: "plan-cmdline-header-max",
    what: "a kernel may ask for a command line without end",
    file: PLAN,
    find: "const maxLength = Math.min(limit.maxLength, MAX_CMDLINE_SIZE);",
    replace: "const { maxLength } = limit;",
  },
  {
    id: "boot-protocol-unknown",
    what: "a protocol that there is not is said to be wanted",
    file: BOOT,
    find: "      protocol satisfies never;\n",
    replace: "      break;\n",
  },
  {
    id: "boot-32-bit-default",
    what: "an ELF32 kernel is entered in 64-bit mode unless the caller says otherwise",
    file: BOOT,
    find: 'return kernel.elfClass === 64 ? "linux64" : "linux32";',
    replace: 'return "linux64";',
  },
];
