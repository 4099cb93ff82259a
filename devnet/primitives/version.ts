/** The version of the package; the build writes it in. */
export const VERSION: string = process.env.TROUPE_VERSION ?? '0.0.0-source'
