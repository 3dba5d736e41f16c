"""What `cmake --install` puts in a folder is what an installation needs: staged_install_test.py BUILD VERSION DESKTOP(0|1)

Runs the install into a folder of its own and looks at it: every file there, entries and pages valid, programs that run from
that folder, and nothing in them that names where they were built.
"""
import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

BUILD, VERSION, DESKTOP = sys.argv[1], sys.argv[2], sys.argv[3] == "1"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST_FILES = ["bin/hearth", "share/man/man1/hearth.1", "lib/systemd/user/hearth.service", "share/doc/hearth/copyright",
              "share/doc/hearth/cli.md", "share/doc/hearth/prometheus/alerts.yml", "share/doc/hearth/grafana/hearth.json",
              "share/doc/hearth/licenses/katex.txt"]
DESKTOP_FILES = ["bin/hearth-desktop", "share/man/man1/hearth-desktop.1", "share/applications/hearth-desktop.desktop",
                 "share/mime/packages/hearth-desktop.xml", "share/metainfo/org.hearth.hearth_desktop.metainfo.xml",
                 "share/icons/hicolor/scalable/apps/hearth-desktop.svg", "share/doc/hearth-desktop/copyright"] + [
                     f"share/icons/hicolor/{s}x{s}/apps/hearth-desktop.png" for s in (16, 22, 24, 32, 48, 64, 128, 256, 512)]


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **more)


class StagedInstall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hearth-stage-")
        cls.tree = os.path.join(cls.folder.name, "usr")
        result = run("cmake", "--install", BUILD, "--prefix", cls.tree)
        if result.returncode != 0:
            raise RuntimeError(result.stdout + result.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return os.path.join(self.tree, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def programs(self):
        return ["hearth"] + (["hearth-desktop"] if DESKTOP else [])

    def test_every_file_is_there_and_no_other(self):
        wanted = HOST_FILES + (DESKTOP_FILES if DESKTOP else [])
        for name in wanted:
            self.assertTrue(os.path.isfile(self.path(name)), name)
            self.assertGreater(os.path.getsize(self.path(name)), 0, name)
        allowed = re.compile(r"^(bin/|share/(man|doc|applications|mime|metainfo|icons)/|lib/(systemd/user|hearth)/)")
        for folder, _, files in os.walk(self.tree):
            for file in files:
                name = os.path.relpath(os.path.join(folder, file), self.tree)
                self.assertRegex(name, allowed)
                self.assertNotIn("test", os.path.basename(name).lower())

    def test_programs_run_from_there(self):
        for name in self.programs():
            result = run(self.path("bin/" + name), "--version", env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(VERSION, result.stdout)

    def test_nothing_names_where_it_was_built(self):
        for name in self.programs():
            with open(self.path("bin/" + name), "rb") as file:
                data = file.read()
            for place in (SOURCE, os.path.realpath(BUILD)):
                self.assertEqual(data.count(place.encode()), 0, f"{name} names {place}")
            dynamic = run("readelf", "-d", self.path("bin/" + name)).stdout
            paths = re.findall(r"\(RPATH\).*\[(.*)\]", dynamic)
            self.assertEqual(paths, ["$ORIGIN/../lib/hearth"], name)
            for header in ("GNU_RELRO", "GNU_STACK"):
                self.assertIn(header, run("readelf", "-lW", self.path("bin/" + name)).stdout)
            self.assertIn("DYN", run("readelf", "-hW", self.path("bin/" + name)).stdout, "position independent")

    def test_man_pages(self):
        for name in self.programs():
            page = self.path(f"share/man/man1/{name}.1")
            if shutil.which("man"):
                result = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
                self.assertEqual((result.returncode, result.stderr), (0, ""))
            text = self.read(f"share/man/man1/{name}.1")
            self.assertTrue(text.startswith(f".TH {name.upper()} 1 "))
            for heading in (".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH FILES", ".SH ENVIRONMENT", ".SH SEE ALSO"):
                self.assertIn(heading + "\n", text)

    def test_man_pages_say_all_that_help_says(self):
        plain = self.read("share/man/man1/hearth.1").replace("\\-", "-")

        def visit(words):
            text = run(self.path("bin/hearth"), *words, "--help").stdout
            for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", text, re.M):
                self.assertIn(option, plain, " ".join(words))
            below = text.partition("Subcommands:")[2].partition("\n\n")[0]
            for name in re.findall(r"^  (\w+)", below, re.M):
                self.assertIn(".SS " + " ".join(["hearth", *words, name]), plain)
                visit([*words, name])
        visit([])
        if DESKTOP:
            page = self.read("share/man/man1/hearth-desktop.1").replace("\\-", "-")
            text = run(self.path("bin/hearth-desktop"), "--help").stdout
            options = set(re.findall(r"^  (?:-\w, )*(--[\w-]+)", text, re.M)) - {"--help-all"}
            self.assertGreater(len(options), 5)
            for option in options:
                self.assertIn(option, page)

    @unittest.skipUnless(DESKTOP, "no window in this build")
    def test_desktop_entry(self):
        entry = self.path("share/applications/hearth-desktop.desktop")
        if shutil.which("desktop-file-validate"):
            result = run("desktop-file-validate", entry)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str
        parser.read(entry, encoding="utf-8")
        group = parser["Desktop Entry"]
        self.assertEqual(group["Exec"], "hearth-desktop %U")
        self.assertIn("x-scheme-handler/hearth;", group["MimeType"])
        self.assertIn("application/x-gguf;", group["MimeType"])
        self.assertEqual(group["Icon"], "hearth-desktop")

    @unittest.skipUnless(DESKTOP, "no window in this build")
    def test_metainfo_and_file_type(self):
        metainfo = self.path("share/metainfo/org.hearth.hearth_desktop.metainfo.xml")
        root = ET.parse(metainfo).getroot()
        self.assertEqual(root.findtext("launchable"), "hearth-desktop.desktop")
        self.assertEqual(root.find("releases/release").get("version"), VERSION)
        self.assertEqual(root.findtext("project_license"), "GPL-3.0-only")
        if shutil.which("appstreamcli"):
            result = run("appstreamcli", "validate", "--no-net", "--no-color", metainfo)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        mime = ET.parse(self.path("share/mime/packages/hearth-desktop.xml")).getroot()
        space = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
        self.assertEqual(mime.find("m:mime-type", space).get("type"), "application/x-gguf")
        self.assertEqual(mime.find(".//m:glob", space).get("pattern"), "*.gguf")
        with open(self.path("share/icons/hicolor/48x48/apps/hearth-desktop.png"), "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(int.from_bytes(head[16:20], "big"), 48)

    def test_user_unit(self):
        text = self.read("lib/systemd/user/hearth.service")
        self.assertIn("ExecStart=/usr/bin/hearth serve ", text)
        for line in ("NoNewPrivileges=yes", "SystemCallFilter=@system-service", "RestrictAddressFamilies=", "WantedBy=default.target"):
            self.assertIn(line, text)
        if shutil.which("systemd-analyze"):
            # The program of this tree instead of one that need not be installed here.
            with tempfile.TemporaryDirectory() as folder:
                unit = os.path.join(folder, "hearth.service")
                with open(unit, "w", encoding="utf-8") as file:
                    file.write(text.replace("/usr/bin/hearth", self.path("bin/hearth")))
                result = run("systemd-analyze", "--user", "verify", "--man=no", unit, env={**os.environ, "XDG_RUNTIME_DIR": folder})
                mine = [line for line in result.stderr.splitlines() if "hearth" in line]
                self.assertEqual(mine, [])

    def test_copyright(self):
        self.assertIn("License: Apache-2.0", self.read("share/doc/hearth/copyright"))
        if DESKTOP:
            self.assertIn("GPL-3", self.read("share/doc/hearth-desktop/copyright"))
        needed = run("readelf", "-d", self.path("bin/hearth")).stdout
        self.assertNotRegex(needed, r"libQt\dCharts|libQt", "the headless program links nothing GPL")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
