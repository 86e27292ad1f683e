/** `<cloud-pillow>` in templates and TSX of Vue 3: `import "pillowcast/element/vue";`. */

import type { DefineComponent } from "vue";

import type { CloudPillowAttributes, StateChangeEvent } from "./element.js";

export * from "./element.js";

type Props = CloudPillowAttributes & {
  /** `state` or `fresh` has changed: `@statechange` in a template. */
  onStatechange?: (event: StateChangeEvent) => void;
};

declare module "vue" {
  interface GlobalComponents {
    "cloud-pillow": DefineComponent<Props>;
  }
}
