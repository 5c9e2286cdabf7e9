package org.foras

import org.foras.ffi.GivenConsent
import org.foras.ffi.Registration
import org.foras.ffi.Setting

/** Fields and their values, as `edit(id) { set("contact_language", "ff") }` names them. */
class Edit {
    internal val settings = mutableListOf<Setting>()

    /** Sets a field that takes one value. */
    fun set(field: String, value: Any) {
        settings += Setting(field, value.toString())
    }

    /** Replaces a set field as a whole. */
    fun set(field: String, values: Set<String>) {
        if (values.isEmpty()) clear(field) else values.sorted().forEach { settings += Setting(field, it) }
    }

    /** Clears a field. */
    fun clear(field: String) {
        settings += Setting(field, "")
    }
}

/** Somebody who comes for the first time and consents to being assisted, in the named form. */
fun registration(assist: String = "oral", fields: Edit.() -> Unit): Registration =
    Registration(Edit().apply(fields).settings, listOf(GivenConsent("assist", assist)), null)
