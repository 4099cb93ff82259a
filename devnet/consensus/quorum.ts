/** Two thirds and other fractions of the voting power. Multiplied rather than divided, so that nothing is rounded. */

/** More than two thirds: with less than a third faulty, two such groups share an honest validator. */
export function isQuorum(voted: bigint, total: bigint): boolean {
  return voted * 3n > total * 2n
}

/** More than one third: at least one of them is honest. */
export function hasHonest(voted: bigint, total: bigint): boolean {
  return voted * 3n > total
}
