/** Faults of what a caller asks for, and of what it is told. */
import type { ListedFault } from "./fault.ts";

const APPLY = "src/memory/apply.ts";
const TREE = "src/params/device_tree.ts";
const CMDLINE = "src/params/cmdline.ts";
const RULES = "src/params/cmdline_rules.ts";
const ZERO_PAGE = "src/params/zero_page.ts";
const PLAN = "src/protocols/plan.ts";
const PVH = "src/protocols/pvh.ts";
const LINUX_X86 = "src/protocols/linux_x86.ts";
const LINUX64 = "src/protocols/linux64.ts";
const X86_GUEST = "src/protocols/x86_guest.ts";
const FLAT = "src/protocols/flat_guest.ts";
const BZIMAGE = "src/protocols/bzimage_placement.ts";
const BOOT = "src/boot.ts";
const LOADER = "src/loader.ts";

export const ASKED: readonly ListedFault[] = [
  {
    id: "apply-error-swallowed",
    what: "a source that fails while it is read is taken for one that does not",
    file: APPLY,
    find: "    } catch (cause) {\n",
    replace: "    } catch (cause) {\n      if (done > 0 || view.length < 4096) continue;\n",
  },
  {
    id: "apply-checks-first",
    what: "only the first placement's content is checked",
    file: APPLY,
    find: "for (const placement of placements) checkContent(placement);",
    replace: "for (const placement of placements.slice(0, 1)) checkContent(placement);",
  },
  {
    id: "boot-ram-late",
    what: "the plan's RAM is looked at when the plan has been written",
    file: BOOT,
    find: "  for (const range of plan.ram) {\n",
    replace:
      "  applyPlacements(memory, plan.placements, options);\n  for (const range of plan.ram) {\n",
  },
  {
    id: "boot-bzimage-default",
    what: "a bzImage is entered in 64-bit mode unless the caller says otherwise",
    file: BOOT,
    find: '(kernel.header.xloadflags ?? 0) & XLF_KERNEL_64 ? "linux64" : "linux32";',
    replace: 'kernel.header.version >= 0x020c ? "linux64" : "linux32";',
  },
  {
    id: "boot-elf-any-protocol",
    what: "an ELF kernel by an Image's protocol is taken for an Image",
    file: BOOT,
    find: 'if (kernel.format === "arm64-image") return planArm64(',
    replace: 'if (kernel.format !== "elf") return planArm64(',
  },
  {
    id: "pvh-rsdp",
    what: "a PVH guest is not told of the RSDP",
    file: PVH,
    find: "memoryMap, rsdp: request.rsdp }, start)",
    replace: "memoryMap }, start)",
  },
  {
    id: "linux-rsdp",
    what: "the RSDP is not handed over",
    file: LINUX_X86,
    find: "        rsdp: request.rsdp,\n",
    replace: "",
  },
  {
    id: "pvh-own-cmdline-limit",
    what: "PVH: the caller's own limit of the command line is not looked at",
    file: PVH,
    find: "const line = cmdlineBytes(request, CMDLINE_LIMITS.x86_64);",
    replace:
      "const line = cmdlineBytes({ ...request, maxCmdlineSize: undefined }, CMDLINE_LIMITS.x86_64);",
  },
  {
    id: "pvh-initrd-placement",
    what: "PVH: a high initrd that is asked for goes low",
    file: PVH,
    find: 'const isHigh = initrdPlacement === "high" || (',
    replace: 'const isHigh = initrdPlacement === "low" || (',
  },
  {
    id: "flat-memory-map",
    what: "entries of the memory map are not looked at where there is a device tree",
    file: FLAT,
    find: "deriveMemoryMap({ ram, reservations, extra: request.memoryMap });",
    replace: "deriveMemoryMap({ ram, reservations });",
  },
  {
    id: "flat-kernel-address",
    what: "where an Image is wanted is not looked at",
    file: FLAT,
    find: "  if (chosen !== undefined) {\n    if (chosen % BASE_ALIGN",
    replace: "  if (chosen !== undefined && chosen < 0n) {\n    if (chosen % BASE_ALIGN",
  },
  {
    id: "flat-rng-seed",
    what: "the seed of random bytes is not handed over",
    file: FLAT,
    find: "    rngSeed: request.seeds?.rng,\n",
    replace: "",
  },
  {
    id: "flat-kaslr-seed",
    what: "the seed of the kernel's address is not handed over",
    file: FLAT,
    find: "    kaslrSeed: request.seeds?.kaslr,\n",
    replace: "",
  },
  {
    id: "flat-dtb-from-tree",
    what: "the tree that is written is the one that was given",
    file: FLAT,
    find: "  const bytes = writeFdt(tree);\n",
    replace: "  const given = request.deviceTree;\n" +
      "  const bytes = given instanceof Uint8Array && !cmdline[0] ? given : writeFdt(tree);\n",
  },
  {
    id: "flat-reservation-names",
    what: "reservations of one name and one page number clash",
    file: FLAT,
    find: 'return { name: nodeName || "reserved", start, size };',
    replace: 'return { name: nodeName || "reserved", start: start & ~1n, size };',
  },
  {
    id: "bzimage-kernel-address",
    what: "where a bzImage is wanted is not looked at if it is relocatable",
    file: BZIMAGE,
    find: "request.kernelAddress === undefined\n",
    replace: "request.kernelAddress === undefined || rules.relocatable\n",
  },
  {
    id: "plan-cmdline-object",
    what: "a command line that is no string is empty",
    file: PLAN,
    find: 'cmdline: String(cmdline ?? ""),',
    replace: 'cmdline: typeof cmdline === "string" ? cmdline : "",',
  },
  {
    id: "plan-json-rounded",
    what: "addresses of a plan that is printed are rounded",
    file: PLAN,
    find: 'if (typeof value === "bigint") return formatAddress(value);',
    replace: 'if (typeof value === "bigint") return formatAddress(Number(value));',
  },
  {
    id: "plan-json-map",
    what: "the memory map of a plan that is printed lacks types",
    file: PLAN,
    find: "return hexed({ ...plan, placements }) as PlanJson;",
    replace:
      "return hexed({ ...plan, placements, memoryMap: plan.memoryMap.map(({ start, size }) => ({ start, size })) }) as unknown as PlanJson;",
  },
  {
    id: "plan-text-entry",
    what: "a plan's text says another entry",
    file: PLAN,
    find: 'const start = plan.cpu.arch === "x86_64" ? plan.cpu.rip : plan.cpu.pc;',
    replace: 'const start = plan.cpu.arch === "x86_64" ? plan.cpu.rsi : plan.cpu.pc;',
  },
  {
    id: "plan-text-short",
    what: "a plan's text leaves out the last placement",
    file: PLAN,
    find: "...plan.placements.map((placement) => row(",
    replace: "...plan.placements.slice(0, -1).map((placement) => row(",
  },
  {
    id: "linux64-tables-align",
    what: "page tables may lie on any 8 bytes",
    file: LINUX64,
    find: "tables.size, PAGE_TABLES_START, build, 4096n);",
    replace: "tables.size, PAGE_TABLES_START, build, 8n);",
  },
  {
    id: "linux-setup-data-align",
    what: "setup_data may lie on any byte",
    file: LINUX_X86,
    find: "setupDataSize(items), SETUP_DATA_START, build);",
    replace: "setupDataSize(items), SETUP_DATA_START, build, 1n);",
  },
  {
    id: "x86-align-default",
    what: "what has no alignment of its own may lie on any byte",
    file: X86_GUEST,
    find: "    align = 8n,\n",
    replace: "    align = 1n,\n",
  },
  {
    id: "x86-preferred-ignored",
    what: "what the loader makes goes to the lowest free RAM at once",
    file: X86_GUEST,
    find: "this.space.allocate({ name, size, align, preferred, ...bounds });",
    replace: "this.space.allocate({ name, size, align, ...bounds });",
  },
  {
    id: "zero-page-vid-mode",
    what: "vid_mode stays as it is in the file",
    file: ZERO_PAGE,
    find: "    vid_mode: VID_MODE_NORMAL,\n",
    replace: "",
  },
  {
    id: "loader-dtb-limit-exact",
    what: "off by one: a tree of exactly 2 MiB is refused",
    file: LOADER,
    find: "if (source.size > MAX_FDT_SIZE) {",
    replace: "if (source.size >= MAX_FDT_SIZE) {",
  },
  {
    id: "loader-part-empty",
    what: "a tree without bytes must lie in RAM",
    file: LOADER,
    find: "if (size > 0n && !memory.contains(range)) throw",
    replace: "if (!memory.contains(range)) throw",
  },
  {
    id: "cmdline-capacity-parse-exact",
    what: "off by one: a line that is parsed leaves no room for its NUL",
    file: CMDLINE,
    find: "if (cmdline.#size >= capacity) {",
    replace: "if (cmdline.#size > capacity) {",
  },
  {
    id: "cmdline-none",
    what: "no values make an empty one",
    file: CMDLINE,
    find: "if (values.length === 0) {",
    replace: "if (values.length < 0) {",
  },
  {
    id: "cmdline-id-zero",
    what: "a device's id of 0 is left out",
    file: CMDLINE,
    find: 'const suffix = id === undefined ? "" : `:${id}`;',
    replace: 'const suffix = id ? `:${id}` : "";',
  },
  {
    id: "cmdline-largest-unit",
    what: "a size of whole GiB is said in MiB",
    file: RULES,
    find: "  if (size % (1n << 30n) === 0n) return `${size >> 30n}G`;\n",
    replace: "",
  },
  {
    id: "cmdline-key-equals",
    what: "a key may hold an equals sign",
    file: RULES,
    find: 'if (equals >= 0) throw characterError("CMDLINE_EQUALS"',
    replace: 'if (equals > 0) throw characterError("CMDLINE_EQUALS"',
  },
  {
    id: "cmdline-quote-end",
    what: "a quote that is not closed lets spaces in",
    file: RULES,
    find: "const quoted = value.length > 1 && value.startsWith('\"') && value.endsWith('\"');",
    replace: "const quoted = value.length > 1 && value.startsWith('\"');",
  },
  {
    id: "tree-phandle-none",
    what: "phandles that are none are taken",
    file: TREE,
    find: "if (phandle === 0 || phandle === 0xffff_ffff) {",
    replace: "if (phandle === 0) {",
  },
  {
    id: "tree-cell-fraction",
    what: "a cell may be a fraction",
    file: TREE,
    find: "if (!Number.isInteger(cell) || cell < 0",
    replace: "if (cell < 0",
  },
  {
    id: "tree-cell-negative",
    what: "a cell may be negative",
    file: TREE,
    find: "if (!Number.isInteger(cell) || cell < 0",
    replace: "if (!Number.isInteger(cell)",
  },
  {
    id: "tree-reg-size-cells",
    what: "a reg's sizes have as many cells as its addresses",
    file: TREE,
    find: "encodeNumber(size, counts.sizeCells, field),",
    replace: "encodeNumber(size, counts.addressCells, field),",
  },
  {
    id: "tree-path-relative",
    what: "a path need not start with a slash",
    file: TREE,
    find: 'if (!path.startsWith("/")) {',
    replace: 'if (path.startsWith(" ")) {',
  },
  {
    id: "tree-delete-first",
    what: "only the first of several properties of one name goes",
    file: TREE,
    find: "node.properties = node.properties.filter((property) => property.name !== name);",
    replace: "const at = node.properties.findIndex((property) => property.name === name);\n" +
      "  if (at >= 0) node.properties.splice(at, 1);",
  },
  {
    id: "tree-set-moves",
    what: "a property that is set moves to the end",
    file: TREE,
    find: "node.properties.splice(at, 0, property);",
    replace: "node.properties.push(property);",
  },
  {
    id: "tree-ensure-again",
    what: "a node with a unit address is made again without it",
    file: TREE,
    find:
      "for (const name of splitPath(path)) node = findChild(node, name) ?? addChild(node, name);",
    replace:
      "for (const name of splitPath(path)) node = node.children.find((one) => one.name === name) ?? addChild(node, name);",
  },
];
