import { actor } from "troupe/actor";

export function invoke(): void {}

@actor
export class Sample {
  count: u64 = 0;
}

//! TRP-6002 3:17 "invoke"
