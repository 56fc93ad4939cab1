import { crowds } from "../arbitraries/crowds.ts";
import { property } from "../property.ts";
import { checkBoot } from "./model_boot.ts";

export default property({
  name: "model-crowd",
  says: "a boot comes to what the plain model says where hundreds of things are in the way, too",
  inputs: crowds,
  share: 0.2,
  check: checkBoot,
});
