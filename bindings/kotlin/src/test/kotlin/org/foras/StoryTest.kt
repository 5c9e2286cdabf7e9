package org.foras

import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.foras.ffi.ForasException
import org.foras.ffi.PeoplePage
import org.foras.ffi.Registration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The story on two phones: enrol, edit offline, observe, sync, against a real `foras serve`. */
class StoryTest {
    @TempDir
    lateinit var folder: Path

    private fun newcomer(): Registration = registration {
        set("name", "Aminata Test")
        set("sex", "f")
        set("birth_year", 1996)
        set("nationality", "ML")
        set("country", "ML")
        set("point", "oujda")
        set("languages", setOf("bm", "fr"))
    }

    private fun told(work: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(120_000, work) }

    @Test
    fun `two workers of Oujda edit one person offline`() = told {
        Server(folder.resolve("server")).use { server ->
            val outreach = Foras.open(folder.resolve("outreach"))
            val counsellor = Foras.open(folder.resolve("counsellor"))
            outreach.enrol(server.invite("outreach", "oujda", "Outreach Test"))
            counsellor.enrol(server.invite("host_counsellor", "oujda", "Counsellor Test"))

            val pages = Channel<PeoplePage>(Channel.UNLIMITED)
            val watching = launch(Dispatchers.Default) { counsellor.people.observe("oujda").collect(pages::send) }
            assertEquals(0uL, pages.receive().total)

            val registered = outreach.phone.register(newcomer())
            assertEquals(0uL, outreach.sync.now().pending)
            counsellor.sync.now()
            var page = pages.receive()
            while (page.total == 0uL) page = pages.receive()
            assertEquals(registered.id, page.items.single().id)
            assertEquals("Aminata Test", page.items.single().name)

            // Both write the same field with no network between them.
            assertTrue(outreach.people.edit(registered.id) { set("contact_language", "bm") })
            assertTrue(counsellor.people.edit(registered.id) { set("contact_language", "ff") })
            assertTrue(outreach.sync.status().first().pending > 0uL)
            outreach.sync.now()
            counsellor.sync.now()
            outreach.sync.now()

            val shown = listOf(outreach, counsellor).map { it.people.show(registered.id)["contact_language"] }
            assertEquals(shown[0], shown[1])
            val disputed = counsellor.conflicts().items.first { it.kind == "person" }.fields.single { it.name == "contact_language" }
            val both = (listOf(disputed.shown) + disputed.others).map { it.value.plain to it.by.role }
            assertEquals(setOf("bm" to "outreach", "ff" to "host_counsellor"), both.toSet())

            counsellor.people.edit(registered.id) { set("contact_language", "ff") }
            counsellor.sync.now()
            outreach.sync.now()
            assertEquals(0uL, outreach.conflicts().total)
            assertEquals("ff", outreach.people.show(registered.id)["contact_language"])

            watching.cancelAndJoin()
            outreach.close()
            counsellor.close()
        }
    }

    @Test
    fun `with the server down nothing is lost and a cancelled sync loses nothing`() = told {
        val server = Server(folder.resolve("server"))
        val phone = Foras.open(folder.resolve("outreach"))
        phone.enrol(server.invite("outreach", "oujda", "Outreach Test"))
        server.close()

        val registered = phone.phone.register(newcomer())
        val offline = runCatching { phone.sync.now() }.exceptionOrNull() as ForasException.Offline
        assertEquals("offline", offline.failure.code)
        assertTrue((offline as ForasException).failure.retryable)
        assertEquals("Aminata Test", phone.people.show(registered.id)["name"])

        Server(folder.resolve("server"), server.url.removePrefix("http://")).use {
            val call = async(Dispatchers.Default) { phone.sync.now() }
            yield()
            call.cancelAndJoin()
            assertEquals(0uL, phone.sync.now().pending)
            phone.close()
        }
        // Closed is closed: the store is free at once.
        Foras.open(folder.resolve("outreach")).use {
            assertEquals("Aminata Test", it.people.show(registered.id)["name"])
        }
    }

    @Test
    fun `errors have codes`() = told {
        val phone = Foras.open(folder.resolve("outreach"))
        assertThrows(ForasException.NotEnrolled::class.java) { phone.phone.register(newcomer()) }
        val second = assertThrows(ForasException.ServerBusy::class.java) { Foras.open(folder.resolve("outreach")) }
        assertEquals("in_use", second.failure.code)
        phone.close()
    }
}
