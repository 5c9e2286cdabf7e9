package org.foras

import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** A `foras serve` on a data folder, from when it says that it listens. */
class Server(private val data: Path, listen: String = "127.0.0.1:0") : AutoCloseable {
    private val process: Process = ProcessBuilder(binary, "serve", "--data", data.toString(), "--listen", listen)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start()
    private val said = process.inputStream.bufferedReader()
    val url: String = text(said.readLine(), "listening")

    fun invite(role: String, place: String, name: String): String {
        val words = listOf(
            binary, "device", "invite", "--data", data.toString(), "--role", role, "--place", place, "--name", name, "--json",
        )
        val asked = ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val answer = asked.inputStream.bufferedReader().readText()
        check(asked.waitFor() == 0) { "no invitation" }
        return text(answer, "invitation")
    }

    override fun close() {
        process.destroy()
        check(process.waitFor(60, TimeUnit.SECONDS)) { "the server does not stop" }
    }

    private companion object {
        val binary: String = System.getProperty("foras.server")

        /** One text of a flat JSON object. */
        fun text(json: String?, key: String): String =
            Regex("\"$key\"\\s*:\\s*\"([^\"]*)\"").find(json.orEmpty())?.groupValues?.get(1) ?: error("no $key in $json")
    }
}
