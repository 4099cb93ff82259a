/** A `Base` that only its own makers hand out: two brands of one base do not mix, and cost nothing at run time. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name }
