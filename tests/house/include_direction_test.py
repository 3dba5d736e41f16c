#!/usr/bin/env python3
"""The include check must find what it is there for: a house with mistakes built in."""
import pathlib
import tempfile
import unittest

from include_direction import problems


class Finds(unittest.TestCase):
    def house(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        for top in ("kernels", "core", "ui"):
            (root / top).mkdir()
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return problems(root)

    def test_clean_house(self):
        self.assertEqual(self.house({"core/engine/a.cpp": '#include "core/models/model.h"\n// std::abort()\n'}), [])

    def test_upward_include(self):
        self.assertEqual(len(self.house({"core/engine/a.cpp": '#include "core/chat/chat_service.h"\n'})), 1)
        self.assertEqual(len(self.house({"kernels/cpu/a.h": '#include "core/base/error.h"\n'})), 1)
        self.assertEqual(len(self.house({"core/host/a.h": "#include <ui/desktop/x.h>\n"})), 1)

    def test_qt_below_the_window(self):
        self.assertEqual(len(self.house({"core/chat/a.cpp": "#include <QString>\n"})), 1)
        self.assertEqual(len(self.house({"ui/terminal/a.cpp": "#include <QtCore/QString>\n"})), 1)

    def test_printing_and_aborting_in_core(self):
        self.assertEqual(len(self.house({"core/text/a.cpp": "void f() { std::cout << 1; }\n"})), 1)
        self.assertEqual(len(self.house({"kernels/cpu/a.cpp": "void f() { std::abort(); }\n"})), 1)

    def test_unknown_room(self):
        self.assertEqual(len(self.house({"core/cellar/a.cpp": "\n"})), 1)


if __name__ == "__main__":
    unittest.main()
