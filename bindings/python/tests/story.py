"""The story on two phones: enrol, edit offline, observe, sync, against a real `foras serve`.

Run by `cargo xtask test`, which names the binary in FORAS_BINARY and the package in PYTHONPATH.
"""

import asyncio
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import foras

BINARY = os.environ.get("FORAS_BINARY", "target/debug/foras")
# Long enough for a slow machine; nothing waits that long when all is well.
PATIENCE_S = 60


class Server:
    """A `foras serve` on a data folder, from when it says that it listens."""

    def __init__(self, data, listen="127.0.0.1:0"):
        self.data = data
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", str(data), "--listen", listen],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.url = json.loads(self.process.stdout.readline())["listening"]

    def invite(self, role, *places, name):
        command = [BINARY, "device", "invite", "--data", str(self.data), "--role", role, "--name", name, "--json"]
        for place in places:
            command += ["--place", place]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["invitation"]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


class Heard(foras.ChangeObserver):
    """Keeps what it is told."""

    def __init__(self):
        self.changes = queue.Queue()

    def changed(self, change):
        self.changes.put(change)

    def wait_for(self, kind, case):
        """Until a record of that kind changed, for that case. Pages of other audiences may be told before."""
        while True:
            change = self.changes.get(timeout=PATIENCE_S)
            if case in change.cases and kind in change.kinds:
                return


class Deaf(foras.ChangeObserver):
    """Fails whatever it is told."""

    def __init__(self):
        self.called = threading.Event()

    def changed(self, change):
        self.called.set()
        raise RuntimeError("an app has faults of its own")


def newcomer(**more):
    fields = dict(name="Aminata Test", sex="f", birth_year=1996, nationality="ML", country="ML", point="oujda")
    return foras.Registration(
        settings=foras.settings(**{**fields, **more}), consents=[foras.GivenConsent(purpose="assist", form="oral")]
    )


class Story(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def serve(self):
        server = Server(self.folder / "server")
        self.addCleanup(server.stop)
        return server

    def phone(self, name):
        return foras.ForasPhone.open(str(self.folder / name))

    def test_two_workers_of_oujda_edit_one_person_offline(self):
        server = self.serve()
        outreach, counsellor = self.phone("outreach"), self.phone("counsellor")
        asyncio.run(outreach.enrol(server.invite("outreach", "oujda", name="Outreach Test")))
        asyncio.run(counsellor.enrol(server.invite("host_counsellor", "oujda", name="Counsellor Test")))

        registered = outreach.register(newcomer(phone="+212661000001", languages=["bm", "fr"]))
        self.assertTrue(registered.case_number)
        report = asyncio.run(outreach.sync())
        self.assertGreater(report.sent, 0)
        self.assertEqual(report.pending, 0)

        heard = Heard()
        observation = counsellor.observe(heard)
        asyncio.run(counsellor.sync())
        heard.wait_for("person", registered.id)
        page = counsellor.people(foras.Query(point="oujda", search="aminata"))
        self.assertEqual([row.id for row in page.items], [registered.id])
        self.assertEqual(page.total, 1)

        # Both write the same field with no network between them.
        self.assertTrue(outreach.edit(registered.id, foras.settings(contact_language="bm")))
        self.assertTrue(counsellor.edit(registered.id, foras.settings(contact_language="ff")))
        heard.wait_for("person", registered.id)
        self.assertGreater(outreach.status().pending, 0)
        asyncio.run(outreach.sync())
        asyncio.run(counsellor.sync())
        asyncio.run(outreach.sync())

        here, there = outreach.show(registered.id), counsellor.show(registered.id)
        self.assertEqual(foras.value_of(here, "contact_language"), foras.value_of(there, "contact_language"))
        disputed = [record for record in counsellor.conflicts(1).items if record.kind == "person"]
        fields = {field.name: field for field in disputed[0].fields}
        both = [fields["contact_language"].shown, *fields["contact_language"].others]
        self.assertEqual({foras.plain(one.value) for one in both}, {"bm", "ff"})
        self.assertEqual({one.by.role for one in both}, {"outreach", "host_counsellor"})

        # An edit settles it, on every phone.
        counsellor.edit(registered.id, foras.settings(contact_language="ff"))
        asyncio.run(counsellor.sync())
        asyncio.run(outreach.sync())
        self.assertEqual(outreach.conflicts(1).total, 0)
        self.assertEqual(foras.value_of(outreach.show(registered.id), "contact_language"), "ff")

        # Who cancelled hears no more; others do.
        observation.cancel()
        later = Heard()
        watching = counsellor.observe(later)
        counsellor.note(registered.id, "wants to grow vegetables")
        later.wait_for("note", registered.id)
        watching.cancel()
        self.assertFalse(any("note" in change.kinds for change in list(heard.changes.queue)))

    def test_with_the_server_down_nothing_is_lost(self):
        server = self.serve()
        phone = self.phone("outreach")
        asyncio.run(phone.enrol(server.invite("outreach", "oujda", name="Outreach Test")))
        asyncio.run(phone.sync())
        server.stop()

        registered = phone.register(newcomer())
        with self.assertRaises(foras.ForasError.Offline) as failed:
            asyncio.run(phone.sync())
        self.assertEqual(failed.exception.failure.code, "offline")
        self.assertTrue(failed.exception.failure.retryable)
        self.assertGreater(phone.status().pending, 0)
        self.assertEqual(foras.value_of(phone.show(registered.id), "name"), "Aminata Test")

        again = Server(server.data, listen=server.url.removeprefix("http://"))
        self.addCleanup(again.stop)
        asyncio.run(phone.sync())
        self.assertEqual(phone.status().pending, 0)

    def test_a_cancelled_sync_loses_nothing(self):
        server = self.serve()
        phone = self.phone("outreach")
        asyncio.run(phone.enrol(server.invite("outreach", "oujda", name="Outreach Test")))
        phone.register(newcomer())

        async def give_up():
            call = asyncio.ensure_future(phone.sync())
            await asyncio.sleep(0)
            call.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await call

        asyncio.run(give_up())
        self.assertEqual(asyncio.run(phone.sync()).pending, 0)

    def test_errors_have_codes_and_an_observer_that_fails_harms_nobody(self):
        server = self.serve()
        phone = self.phone("outreach")
        with self.assertRaises(foras.ForasError.NotEnrolled):
            phone.register(newcomer())
        with self.assertRaises(foras.ForasError.Misuse):
            asyncio.run(phone.enrol("foras://nonsense"))
        asyncio.run(phone.enrol(server.invite("outreach", "oujda", name="Outreach Test")))

        deaf, heard = Deaf(), Heard()
        observations = [phone.observe(deaf), phone.observe(heard)]
        registered = phone.register(newcomer())
        heard.wait_for("person", registered.id)
        self.assertTrue(deaf.called.wait(PATIENCE_S))
        for observation in observations:
            observation.cancel()

        with self.assertRaises(foras.ForasError.Misuse) as failed:
            phone.edit(registered.id, foras.settings(birth_year=1800))
        self.assertEqual(failed.exception.failure.field, "birth_year")
        with self.assertRaises(foras.ForasError.NotFound):
            phone.show("0" * 32)
        with self.assertRaises(foras.ForasError.ServerBusy) as failed:
            self.phone("outreach")
        self.assertEqual(failed.exception.failure.code, "in_use")


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))
