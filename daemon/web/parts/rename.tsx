// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useRef, useState } from 'preact/hooks'
import { NAME_CHARS_MAX } from '../people.ts'
import { usePage } from './context.ts'

/** Gives somebody another name. @param id  the person's */
export function Rename({ id, name }: { readonly id: string; readonly name: string }) {
  const { app, words } = usePage()
  const [open, setOpen] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const wasOpen = useRef(false)
  // Who comes by keyboard goes on where they are: into the field, and back to where they came from.
  useEffect(() => {
    if (open) field.current?.select()
    else if (wasOpen.current) button.current?.focus()
    wasOpen.current = open
  }, [open])
  if (!open) {
    return (
      <button
        ref={button}
        type="button"
        class="plain"
        aria-label={`${words.people.rename}: ${name}`}
        onClick={() => setOpen(true)}
      >
        {words.people.rename}
      </button>
    )
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    setOpen(false)
    const wanted = field.current!.value.trim()
    if (wanted !== '' && wanted !== name) void app.perform({ act: 'rename-person', id, name: wanted })
  }
  return (
    <form onSubmit={submit} onKeyDown={({ key }) => key === 'Escape' && setOpen(false)}>
      <label>
        <span>{words.people.newName}</span>
        <input ref={field} defaultValue={name} required maxLength={NAME_CHARS_MAX} autocomplete="off" />
      </label>
      <div class="choices">
        <button type="submit">{words.people.save}</button>
        <button type="button" onClick={() => setOpen(false)}>
          {words.me.no}
        </button>
      </div>
    </form>
  )
}
