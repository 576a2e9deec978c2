/** One thing that the doctor looked at. */
export interface Finding {
  readonly name: string
  readonly problem?: string
  readonly remedy?: string
  /** What a person wants to know although it is right. */
  readonly note?: string
}
