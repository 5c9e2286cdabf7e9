package org.foras

import org.foras.ffi.Failure
import org.foras.ffi.FieldValue
import org.foras.ffi.ForasException
import org.foras.ffi.Record

/** What went wrong, whichever error it is. */
val ForasException.failure: Failure
    get() = when (this) {
        is ForasException.Offline -> failure
        is ForasException.NotEnrolled -> failure
        is ForasException.Revoked -> failure
        is ForasException.Locked -> failure
        is ForasException.StorageFull -> failure
        is ForasException.TooOld -> failure
        is ForasException.ServerBusy -> failure
        is ForasException.Refused -> failure
        is ForasException.Corrupt -> failure
        is ForasException.NotFound -> failure
        is ForasException.Misuse -> failure
    }

/** A value as Kotlin has it: null, String, Long, Boolean, or a list of String. */
val FieldValue.plain: Any?
    get() = when (this) {
        FieldValue.Cleared -> null
        is FieldValue.Text -> text
        is FieldValue.Number -> number
        is FieldValue.Flag -> flag
        is FieldValue.Several -> members
        is FieldValue.Event -> json
    }

/** The value that shows of a field, among the records of a case; null where none has it or it was cleared. */
operator fun List<Record>.get(field: String): Any? =
    firstNotNullOfOrNull { record -> record.fields.firstOrNull { it.name == field }?.shown?.value?.plain }
