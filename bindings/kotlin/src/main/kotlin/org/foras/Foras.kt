package org.foras

import java.nio.file.Path
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onStart
import org.foras.ffi.Change
import org.foras.ffi.ChangeObserver
import org.foras.ffi.ForasException
import org.foras.ffi.ForasPhone
import org.foras.ffi.PeoplePage
import org.foras.ffi.Query
import org.foras.ffi.Record
import org.foras.ffi.RecordPage
import org.foras.ffi.Status
import org.foras.ffi.SyncReport

/** A phone over its store. Everything but [enrol] and [Sync.now] works with no network. */
class Foras private constructor(val phone: ForasPhone) : AutoCloseable {
    val people = People(this)
    val sync = Sync(this)

    /** Enrols this phone with an invitation: its link, or its code where [serverUrl] is named. */
    @Throws(ForasException::class)
    suspend fun enrol(invitation: String, serverUrl: String? = null) = phone.enrol(invitation, serverUrl)

    /** Every change from now on; what a slow collector has not taken yet waits for it. */
    fun changes(): Flow<Change> = callbackFlow {
        val observation = phone.observe(object : ChangeObserver {
            override fun changed(change: Change) {
                trySend(change)
            }
        })
        awaitClose {
            observation.cancel()
            observation.close()
        }
    }.buffer(Channel.UNLIMITED)

    /** Records whose fields hold values that several people wrote at the same time. */
    @Throws(ForasException::class)
    fun conflicts(page: Int = 1): RecordPage = phone.conflicts(page.toUInt())

    override fun close() = phone.close()

    companion object {
        /** Opens the phone whose store is in [dir], and makes it where there is none. */
        @Throws(ForasException::class)
        fun open(dir: Path): Foras = Foras(ForasPhone.open(dir.toString()))
    }
}

/** The people that the phone holds. */
class People internal constructor(private val foras: Foras) {
    /** One page of them. */
    @Throws(ForasException::class)
    fun page(point: String? = null, search: String? = null, page: Int = 1): PeoplePage =
        foras.phone.people(Query(point, search, page.toUInt()))

    /** That page now, and again whenever a person or a case changed. */
    fun observe(point: String? = null, search: String? = null, page: Int = 1): Flow<PeoplePage> =
        foras.changes()
            .filter { change -> change.kinds.any { it in listed } }
            .map { }
            .onStart { emit(Unit) }
            .conflate()
            .map { page(point, search, page) }

    /** The records about one person. */
    @Throws(ForasException::class)
    fun show(id: String): List<Record> = foras.phone.show(id)

    /** Sets fields of one person in one change set; true where that changed something. Durable when it returns. */
    @Throws(ForasException::class)
    fun edit(id: String, fields: Edit.() -> Unit): Boolean = foras.phone.edit(id, Edit().apply(fields).settings)

    private companion object {
        val listed = setOf("person", "case", "badge")
    }
}

/** Exchanging with the server. */
class Sync internal constructor(private val foras: Foras) {
    /** Pushes what waits and catches up. Cancelling gives the rest up and loses nothing. */
    @Throws(ForasException::class)
    suspend fun now(serverUrl: String? = null): SyncReport = foras.phone.sync(serverUrl)

    /** What waits and how fresh the records are: now, and whenever that changed. */
    fun status(): Flow<Status> =
        foras.changes()
            .filter { it.delivery }
            .map { }
            .onStart { emit(Unit) }
            .conflate()
            .map { foras.phone.status() }
}
