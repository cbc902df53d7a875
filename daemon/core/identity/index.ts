// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Keys from words, and what people carry between machines (SPEC 1.4, 5, 7.1): pure functions, bytes in and bytes out.
 *
 * Always true: secrets travel as `Secret` and are revealed only where they are used; the root exists for one call.
 * Files are config/'s business.
 */
export {
  type CodeFault,
  type EnrolCode,
  type EnrolKeys,
  enrolKeys,
  type HomeCode,
  keyProof,
  type MeshCode,
  readEnrolCode,
  readHomeCode,
  readMeshCode,
  writeEnrolCode,
  writeHomeCode,
  writeMeshCode,
} from './codes.ts'
export * from './pairing.ts'
export * from './seed.ts'
