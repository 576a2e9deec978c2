import { Postponed } from '../../src/errors.ts'

/**
 * A run that was overtaken by another of the same agent (it was frozen, or its machine was cut off) may write nothing: its
 * work is put off for good, and left to the other.
 */
export class StaleFence extends Postponed {
  constructor() {
    super('another run has taken this agent over')
    this.name = 'StaleFence'
  }
}
