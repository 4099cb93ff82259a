// Integer arithmetic that leaves with 20 rather than wrap.

import { ExitCode, fault } from './abort'

export class checked {
  static add<T>(a: T, b: T): T {
    const sum = <T>(a + b)
    if (isSigned<T>()) {
      if (<T>((a ^ sum) & (b ^ sum)) < 0) overflow()
    } else if (sum < a) overflow()
    return sum
  }

  static sub<T>(a: T, b: T): T {
    const difference = <T>(a - b)
    if (isSigned<T>()) {
      if (<T>((a ^ b) & (a ^ difference)) < 0) overflow()
    } else if (b > a) overflow()
    return difference
  }

  static mul<T>(a: T, b: T): T {
    const product = <T>(a * b)
    if (isSigned<T>()) {
      // The one quotient that overflows itself is the smallest number by −1.
      if (a == -1) {
        if (b != 0 && b == product) overflow()
      } else if (a != 0 && product / a != b) overflow()
    } else if (a != 0 && product / a != b) overflow()
    return product
  }
}

function overflow(): void {
  fault(ExitCode.IllegalState, 'integer overflow')
}
