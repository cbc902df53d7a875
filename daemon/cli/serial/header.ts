// SPDX-License-Identifier: GPL-3.0-or-later
/** What is handed over, as a C header for a board whose line cannot be reached (SPEC 17.4). */
import { rowsOfBytes } from '../c-bytes.ts'

export function headerOf(whole: Uint8Array): string {
  return `// Written by \`shallot provision --header\`. It holds secrets: delete it, and what was built with it, once the device is enrolled.
#ifndef SHALLOT_PROVISION_H_SECRETS
#define SHALLOT_PROVISION_H_SECRETS

IN_FLASH(static const uint8_t shallot_provision[]) = {
${rowsOfBytes(whole)}
};

#endif
`
}
