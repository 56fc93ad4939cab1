/** Faults of wire structs, and of files as sources. */
import type { ListedFault } from "./fault.ts";

const STRUCT = "src/structs/struct.ts";
const FILES = "src/files.ts";

export const STRUCTS: readonly ListedFault[] = [
  {
    id: "struct-number-wraps",
    what: "a number that is too large is written all the same, its high bits lost",
    file: STRUCT,
    find: "value < 0 || value > max) {",
    replace: "value < 0) {",
  },
  {
    id: "struct-number-fraction",
    what: "a fraction is written as the number below",
    file: STRUCT,
    find: "if (!Number.isInteger(value) || value < 0",
    replace: "if (value < 0",
  },
  {
    id: "struct-wide-wraps",
    what: "a number of more than 64 bits is written, its high bits lost",
    file: STRUCT,
    find: "value < 0n || value >> 64n !== 0n",
    replace: "value < 0n",
  },
  {
    id: "struct-wide-negative",
    what: "a negative number is written as a large one",
    file: STRUCT,
    find: "value < 0n || value >> 64n !== 0n",
    replace: "value >> 64n > 0n",
  },
  {
    id: "struct-bytes-short",
    what: "fewer bytes than a field has are written, and leave the rest",
    file: STRUCT,
    find: "if (value.length !== size) {",
    replace: "if (value.length > size) {",
  },
  {
    id: "struct-bytes-share",
    what: "bytes that were read are those of the input",
    file: STRUCT,
    find:
      "get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at + offset, size).slice(),",
    replace: "get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at + offset, size),",
  },
  {
    id: "struct-list-longer",
    what: "a list is written over what follows it",
    file: STRUCT,
    find: "if (values.length > count) {",
    replace: "if (values.length > 2 * count) {",
  },
  {
    id: "struct-read-short",
    what: "a struct that is cut off is read all the same",
    file: STRUCT,
    find: "    const part = take(input, at, this.size, this.name);\n",
    replace: "    const part = input.subarray(at, at + this.size);\n",
  },
  {
    id: "struct-write-short",
    what: "a struct is written in part where it does not fit",
    file: STRUCT,
    find: "    const part = take(target, at, this.size, this.name);\n",
    replace: "    const part = target.subarray(at, at + this.size);\n",
  },
  {
    id: "struct-make-shared",
    what: "fields that are not given are not zero",
    file: STRUCT,
    find: "return { ...this.read(new Uint8Array(this.size)), ...value };",
    replace: "return { ...this.read(new Uint8Array(this.size).fill(1)), ...value };",
  },
  {
    id: "file-closed-twice",
    what: "a file that is closed again closes whatever has its number now",
    file: FILES,
    find: "    closeSync(this.#fd);\n    this.#fd = undefined;\n",
    replace: "    closeSync(this.#fd);\n",
  },
  {
    id: "file-closed-read",
    what: "a file that is closed is empty",
    file: FILES,
    find: 'if (this.#fd === undefined) throw new Error("Cannot read file: it is closed");',
    replace: "if (this.#fd === undefined) return 0;",
  },
  {
    id: "file-read-whole",
    what: "as much is read as the target's buffer has room for",
    file: FILES,
    find: "readSync(this.#fd, target, 0, Math.min(target.length, MAX_SINGLE_READ), offset);",
    replace:
      "readSync(this.#fd, new Uint8Array(target.buffer), 0, Math.min(target.length, MAX_SINGLE_READ), offset);",
  },
];
