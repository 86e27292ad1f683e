/** `<cloud-pillow>` in JSX, for React 19 and newer: `import "pillowcast/element/react";`. */

import type { DetailedHTMLProps, HTMLAttributes } from "react";

import type { CloudPillow, CloudPillowAttributes, StateChangeEvent } from "./element.js";

export * from "./element.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "cloud-pillow": DetailedHTMLProps<HTMLAttributes<CloudPillow>, CloudPillow> &
        CloudPillowAttributes & {
          /** `state` or `fresh` has changed. */
          onstatechange?: (event: StateChangeEvent) => void;
        };
    }
  }
}
