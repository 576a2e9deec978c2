/** How traffic moves to the new version, where the platform has a choice. */
export type Strategy = 'rolling' | 'blue-green'
