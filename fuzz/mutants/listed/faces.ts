/** Faults of the two faces: the one call, and linux-loader's building blocks. */
import type { ListedFault } from "./fault.ts";

const LOADER = "src/loader.ts";
const BOOT = "src/boot.ts";
const CONFIGURATOR = "src/configurator.ts";

export const FACES: readonly ListedFault[] = [
  {
    id: "boot-ram-unchecked",
    what: "a plan is applied to a guest that lacks the RAM which the plan tells of",
    file: BOOT,
    find: 'if (!memory.contains(range)) throw outsideRam("RAM of the plan", range, memory);',
    replace: 'if (range.size === 0n) throw outsideRam("RAM of the plan", range, memory);',
  },
  {
    id: "boot-fresh-always",
    what: "memory is always taken to be fresh",
    file: BOOT,
    find: "applyPlan(memory, plan, { fresh });",
    replace: "applyPlan(memory, plan, { fresh: fresh ?? true });",
  },
  {
    id: "boot-protocol-ignored",
    what: "the protocol that is asked for is not looked at",
    file: BOOT,
    find: "options.protocol ?? defaultProtocol(kernel, source);",
    replace: "defaultProtocol(kernel, source);",
  },
  {
    id: "boot-pvh-not-preferred",
    what: "a PVH kernel is entered in 64-bit mode",
    file: BOOT,
    find: 'if (findPvhNote(source, kernel)) return "pvh";',
    replace: "",
  },
  {
    id: "boot-linux64-for-riscv",
    what: "a riscv64 Image is planned by an x86 protocol",
    file: BOOT,
    find: '(kernel.format === "elf" || kernel.format === "bzimage") {\n        return planLinux64(',
    replace: '(kernel.format !== "arm64-image") {\n        return planLinux64(',
  },
  {
    id: "loader-bzimage-setup",
    what: "BzImage.load loads the setup, too",
    file: LOADER,
    find: "loadWhole(memory, source, kernelLoad, kernel.setupSize);",
    replace: "loadWhole(memory, source, kernelLoad, 0);",
  },
  {
    id: "loader-bzimage-highmem",
    what: "off by one: code32_start must be above highmemStart",
    file: LOADER,
    find: "BigInt(code32_start) < highmemStart) {",
    replace: "BigInt(code32_start) <= highmemStart) {",
  },
  {
    id: "loader-bzimage-offset",
    what: "BzImage.load ignores where it is asked to load",
    file: LOADER,
    find: "const kernelLoad = kernelOffset ?? BigInt(code32_start);",
    replace: "const kernelLoad = BigInt(code32_start);",
  },
  {
    id: "loader-bzimage-header",
    what: "the header that is handed on does not say where it was loaded",
    file: LOADER,
    find: "{ code32_start: Number(BigInt.asUintN(32, kernelLoad)) }",
    replace: "{ code32_start }",
  },
  {
    id: "loader-entry-64",
    what: "the 64-bit entry of a kernel that has none",
    file: LOADER,
    find: "const entry = has64BitEntry(kernel) ?",
    replace: "const entry = kernel.fileKernelSize > 0 ?",
  },
  {
    id: "loader-image-unaligned",
    what: "PE.load takes an offset that is no multiple of 2 MiB",
    file: LOADER,
    find: "if (kernelOffset % IMAGE_ALIGN !== 0n) {",
    replace: "if (kernelOffset % 2n !== 0n) {",
  },
  {
    id: "loader-image-wraps",
    what: "PE.load: the offset and text_offset may pass 2^64",
    file: LOADER,
    find: "if (kernelLoad >= ADDRESS_END) {",
    replace: "if (kernelLoad >= ADDRESS_END << 8n) {",
  },
  {
    id: "loader-image-arch",
    what: "an Image of the other architecture is loaded",
    file: LOADER,
    find: "      return parseRiscv64Image(source);\n",
    replace: "      return parseArm64Image(source);\n",
  },
  {
    id: "loader-dtb-limit",
    what: "a device tree of any size is loaded",
    file: LOADER,
    find: "if (source.size > MAX_FDT_SIZE) {",
    replace: "if (source.size < 0) {",
  },
  {
    id: "loader-cmdline-nul",
    what: "loadCmdline leaves the NUL out",
    file: LOADER,
    find: "const bytes = cmdline.asCString();",
    replace: "const bytes = cmdline.asCString().subarray(0, -1);",
  },
  {
    id: "configurator-before-check",
    what: "the memory map is written before the header is checked",
    file: CONFIGURATOR,
    find: "    for (const part of parts) requireRam(memory, part);\n    if (modules",
    replace: "    write(memory, parts.slice(0, 1));\n    if (modules",
  },
  {
    id: "configurator-modules-unwritten",
    what: "modules are not written",
    file: CONFIGURATOR,
    find: "if (modules.length > 0) parts.push(part);",
    replace: "if (modules.length > 64) parts.push(part);",
  },
  {
    id: "configurator-header-start",
    what: "the header goes where the memory map starts",
    file: CONFIGURATOR,
    find: "return { name, start: headerStart, bytes: header };",
    replace: "return { name, start: headerStart & ~7n, bytes: header };",
  },
];
