// SPDX-License-Identifier: GPL-3.0-or-later

/** The rows of a small CSV (RFC 4180 quoting, no line breaks in fields) by column name; throws on a ragged row. */
export function csvRows(text: string): Record<string, string>[] {
  const [head, ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => fields(line))
  return rows.map((row, at) => {
    if (row.length !== head!.length) throw new Error(`CSV row ${at + 2} has ${row.length} fields`)
    return Object.fromEntries(head!.map((name, column) => [name, row[column]!]))
  })
}

function fields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) =>
    found[1] === undefined ? found[2]! : found[1].replaceAll('""', '"'),
  )
}
