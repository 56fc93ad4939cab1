import { boots } from "../arbitraries/boots.ts";
import { optionsOf } from "../boot_run.ts";
import { CanaryGuest } from "../guest.ts";
import { property, Violation } from "../property.ts";
import { allocationOf, thingsIn } from "../work.ts";

/** Tables, trees and copies of headers: a few times what the inputs hold. */
const PER_INPUT_BYTE = 8;
/** A machine's tree with 512 CPUs, a zero page, page tables of the first 4 GiB. */
const CONSTANT = 1 << 20;
/** 4 KiB of page tables for each GiB of RAM's span that the kernel and the initrd touch. */
const PER_GUEST_BYTE = 1 / 4;
/** A property or an array place takes some ten bytes. */
const BYTES_PER_THING = 16;

export default property({
  name: "bounded",
  says: "a boot allocates at most 8 times its inputs, a quarter of its RAM, and 1 MiB",
  inputs: boots,
  check(boot, library) {
    const { kernel, options } = boot;
    const { initrd, deviceTree, cmdline = "", modules = [], setupData = [] } = options;
    const inputs = [kernel, initrd, deviceTree, ...modules.map(({ source }) => source)]
      .concat(setupData.map(({ data }) => data))
      .reduce(
        (sum, input) => sum + (input instanceof Uint8Array ? input.length : 0),
        cmdline.length,
      );
    const guest = boot.ram.reduce((sum, { size }) => sum + size, 0);
    const { memory } = new CanaryGuest(library, boot.ram);
    const { value, bytes } = allocationOf(() => library.bootLinux(memory, optionsOf(boot)));
    const things = value ? thingsIn({ ...value, placements: value.placements.map(plain) }) : 0;
    const total = bytes + BYTES_PER_THING * things;
    const most = PER_INPUT_BYTE * inputs + PER_GUEST_BYTE * guest + CONSTANT;
    if (total > most) {
      throw new Violation("a boot allocates too much", `${total} bytes of at most ${most}`);
    }
  },
});

/** A placement without the source that it names. */
function plain({ name, start, size }: { name: string; start: bigint; size: bigint }): unknown {
  return { name, start, size };
}
