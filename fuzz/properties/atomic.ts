import { boots } from "../arbitraries/boots.ts";
import { largestInput, optionsOf } from "../boot_run.ts";
import { CanaryGuest } from "../guest.ts";
import { judge } from "../judge.ts";
import { property, requireNone } from "../property.ts";

export default property({
  name: "atomic",
  says: "after a refusal every guest byte and every input byte is as it was",
  inputs: boots,
  check(boot, library) {
    const kernel = boot.kernel.slice();
    const initrd = boot.options.initrd?.slice();
    const guest = new CanaryGuest(library, boot.ram);
    const sizes = guest.regions.map(({ bytes }) => bytes.length);
    const { refused } = judge(
      largestInput(boot),
      () => library.bootLinux(guest.memory, optionsOf(boot)),
    );
    const same = kernel.join() === boot.kernel.join() &&
      initrd?.join() === boot.options.initrd?.join();
    requireNone("an input is changed", same ? [] : ["the kernel or the initrd"]);
    if (!refused) return;
    requireNone(`written before ${refused.code}`, guest.changes());
    const now = guest.memory.regions.map(({ bytes }) => bytes.length);
    requireNone(
      "regions are changed",
      now.length === sizes.length ? [] : [`${now.length} of ${sizes.length}`],
    );
  },
});
