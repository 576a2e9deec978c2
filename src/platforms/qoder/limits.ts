/** The stricter of the two limits that Qoder's pages name. */
export const largestJson = 4 * 1024 * 1024
